import { readFileSync } from "node:fs";

type Numbers = number | readonly number[] | readonly (readonly number[])[];

/** A case of another project's own tests, as the fixtures hold it. */
export interface PublishedCase {
  readonly id: string;
  readonly optimizer: string;
  readonly hyperparameters: Readonly<Record<string, number | boolean>>;
  readonly params0: Numbers | Readonly<Record<string, Numbers>>;
  readonly grads?: readonly (readonly number[])[];
  readonly rate?: readonly number[];
  readonly grad_rule?: string;
  readonly x_per_step?: readonly (readonly (readonly number[])[])[];
  readonly xs?: readonly (readonly number[])[];
  readonly steps?: number;
  readonly expected?: readonly (readonly number[] | null)[];
  readonly expected_final?: Readonly<Record<string, Numbers>>;
  readonly expected_at?: Readonly<Record<string, readonly number[]>>;
  readonly expected_cost_before_step?: readonly number[];
  readonly tolerance: {
    readonly rtol?: number;
    readonly atol?: number;
    readonly rounding?: number;
  };
  readonly unreliable?: string;
}

/** The cases of a file in `fixtures/published`, without those that it marks as unreliable. */
export function publishedCases(name: string): readonly PublishedCase[] {
  const url = new URL(`../fixtures/published/${name}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, "utf8")) as { cases: readonly PublishedCase[] };
  return cases.filter(({ unreliable }) => unreliable === undefined);
}

/** All numbers in their order, whatever they are nested in. */
export function flat(values: PublishedCase["params0"]): number[] {
  if (typeof values === "number") return [values];
  return Object.values(values).flatMap((one) => flat(one));
}

/** The gradient that the project's test has at this step (1 is the first), from the present parameters. */
export function gradientOf(one: PublishedCase, p: readonly number[], step: number): number[] {
  const { id, grads, rate = [], grad_rule: rule = "", x_per_step: inputs = [], xs = [] } = one;
  if (grads !== undefined) return [...grads[step - 1]];
  if (id.startsWith("tfjs")) return p.map((value) => 2 * value);
  if (id.startsWith("libtorch")) return networkGradient(p);
  if (id.startsWith("burn")) {
    const column = inputs[step - 1];
    const weights = column
      ? Array.from({ length: 36 }, (_, i) => column[0][i % 6] + column[1][i % 6])
      : Array.from({ length: 36 }, () => 0.2 * step);
    return [...weights, 2, 2, 2, 2, 2, 2];
  }
  if (id.startsWith("candle")) {
    const [w1, w2, b] = p;
    return xs.reduce<number[]>(
      (sum, [x1, x2]) => {
        const error = x1 * w1 + x2 * w2 + b - (3 * x1 + x2 - 2);
        return [sum[0] + 2 * error * x1, sum[1] + 2 * error * x2, sum[2] + 2 * error];
      },
      [0, 0, 0],
    );
  }
  if (rule.includes("exp")) return p.map((value) => (2 * Math.exp(2 * value)) / 5);
  return p.map((value, i) => (2 * value * rate[i] ** 2) / (rule.includes("/5") ? 5 : 1));
}

/** Of the sum of the outputs of libtorch's network 2-3-1, with a sigmoid after each layer. */
function networkGradient(p: readonly number[]): number[] {
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const gradient = new Array<number>(13).fill(0);
  for (const [x1, x2] of [
    [0.1, 0.2],
    [0.3, 0.4],
    [0.5, 0.6],
  ]) {
    const hidden = [0, 1, 2].map((j) => sigmoid(p[2 * j] * x1 + p[2 * j + 1] * x2 + p[6 + j]));
    const output = sigmoid(hidden.reduce((sum, h, j) => sum + h * p[9 + j], p[12]));
    const outer = output * (1 - output);
    gradient[12] += outer;
    hidden.forEach((h, j) => {
      const inner = outer * p[9 + j] * h * (1 - h);
      gradient[9 + j] += outer * h;
      gradient[6 + j] += inner;
      gradient[2 * j] += inner * x1;
      gradient[2 * j + 1] += inner * x2;
    });
  }
  return gradient;
}
