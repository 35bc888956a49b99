import {
  createOptimizer,
  type Backend,
  type Explanation,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { parseFormula, type Formula } from "./formula.js";
import { gradientNoise } from "./gradient-noise.js";
import type { Race } from "./runner.js";

/** The way of an optimizer over the map. */
export interface Path {
  /** x and y before the first step and after each. */
  readonly points: Float32Array;
  /** The function's value in each of these points. */
  readonly values: Float64Array;
  /** The weights to evaluate with in place of each point: averages, or slow weights. Left out where they are the points. */
  readonly evaluated?: Evaluated;
  /** Whether it ended early, in a point without a finite value or gradient. */
  readonly hasDiverged: boolean;
}

/** Weights to evaluate with, which `optimizer.swap()` exchanges with the parameters. */
export interface Evaluated {
  readonly points: Float32Array;
  readonly values: Float64Array;
}

/** Whether an optimizer has weights to evaluate with that are not its parameters. */
export function hasEvaluationWeights({ rule, options }: OptimizerSpec): boolean {
  return (rule.texts(options).evaluation ?? []).length > 0;
}

/** The gradients that the steps of a race get. */
class Gradients {
  readonly #formula: Formula;
  readonly #sigma: number;
  readonly #noise: Float64Array;

  constructor({ noise, seed, steps }: Race, formula: Formula) {
    this.#formula = formula;
    this.#sigma = noise;
    this.#noise = noise === 0 ? new Float64Array() : gradientNoise(seed, steps);
  }

  /** The gradient in a point, with the noise of this step; 0 is the first. */
  at(x: number, y: number, step: number): Float32Array<ArrayBuffer> {
    const [dx, dy] = this.#formula.gradientAt(x, y);
    if (this.#sigma === 0) return Float32Array.of(dx, dy);
    return Float32Array.of(
      dx + this.#sigma * this.#noise[2 * step],
      dy + this.#sigma * this.#noise[2 * step + 1],
    );
  }
}

/**
 * Runs an optimizer on two numbers, x and y, as one parameter `p`.
 * @throws {FormulaError}, {GradstepError}
 */
export async function tracePath(backend: Backend, spec: OptimizerSpec, race: Race): Promise<Path> {
  const formula = parseFormula(race.formula);
  const gradients = new Gradients(race, formula);
  const p = backend.tensor([2], Float32Array.from(race.start));
  const points = new Float32Array(2 * (race.steps + 1));
  const values = new Float64Array(race.steps + 1);
  const evaluated = hasEvaluationWeights(spec)
    ? { points: new Float32Array(points.length), values: new Float64Array(values.length) }
    : undefined;
  try {
    const optimizer = createOptimizer(spec, { p });
    try {
      for (let step = 0; ; step += 1) {
        const [x, y] = await p.read();
        const value = formula.valueAt(x, y);
        points.set([x, y], 2 * step);
        values[step] = value;
        if (evaluated !== undefined) {
          const place = step === 0 ? [x, y] : await evaluationWeights(optimizer, p);
          evaluated.points.set(place, 2 * step);
          evaluated.values[step] = formula.valueAt(place[0], place[1]);
        }
        const gradient = step < race.steps ? gradients.at(x, y, step) : undefined;
        const isFinite =
          Number.isFinite(value) && (gradient?.every((one) => Number.isFinite(one)) ?? true);
        if (gradient === undefined || !isFinite) {
          const first = (all: Evaluated): Evaluated => ({
            points: all.points.slice(0, 2 * (step + 1)),
            values: all.values.slice(0, step + 1),
          });
          return {
            ...first({ points, values }),
            ...(evaluated && { evaluated: first(evaluated) }),
            hasDiverged: !isFinite,
          };
        }
        optimizer.step({ p: gradient });
      }
    } finally {
      optimizer.dispose();
    }
  } finally {
    p.free();
  }
}

/** The weights to evaluate with; the parameters are as before. */
async function evaluationWeights(optimizer: { swap(): void }, p: Tensor): Promise<Float32Array> {
  optimizer.swap();
  try {
    return Float32Array.from(await p.read());
  } finally {
    optimizer.swap();
  }
}

/** What a step does with x and with y. */
export type StepExplanation = readonly [x: PlainExplanation, y: PlainExplanation];

/** An explanation as plain data, which a worker can post. */
export type PlainExplanation = Pick<
  Explanation,
  "rule" | "step" | "gradient" | "before" | "after" | "lines"
>;

function plain({ rule, step, gradient, before, after, lines }: Explanation): PlainExplanation {
  return { rule, step, gradient, before, after, lines };
}

/**
 * Explains a step of a path: repeats the steps before it, then asks the optimizer.
 * @param points of the path
 * @param step 0 for the first
 */
export async function explainStep(
  backend: Backend,
  spec: OptimizerSpec,
  race: Race,
  points: Float32Array,
  step: number,
): Promise<StepExplanation> {
  const gradients = new Gradients(race, parseFormula(race.formula));
  const gradientOf = (one: number): Float32Array<ArrayBuffer> =>
    gradients.at(points[2 * one], points[2 * one + 1], one);
  const p = backend.tensor([2], Float32Array.from(race.start));
  try {
    const optimizer = createOptimizer(spec, { p });
    try {
      for (let one = 0; one < step; one += 1) optimizer.step({ p: gradientOf(one) });
      const gradient = gradientOf(step);
      return [
        plain(await optimizer.explain("p", 0, gradient)),
        plain(await optimizer.explain("p", 1, gradient)),
      ];
    } finally {
      optimizer.dispose();
    }
  } finally {
    p.free();
  }
}
