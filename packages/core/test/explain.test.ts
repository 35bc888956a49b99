import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  ema,
  muon,
  nonNegative,
  sgd,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
} from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
import { rules } from "../src/rules/index.js";
import { failureOf } from "./support.js";

const shapes = { a: [3, 2], b: [4], c: [] } as const;

function values(name: string, step: number): Float32Array {
  const length = { a: 6, b: 4, c: 1 }[name]!;
  return Float32Array.from({ length }, (_, i) => Math.sin(1 + i + 7 * step + name.charCodeAt(0)));
}

function make(spec: OptimizerSpec, options: object = {}) {
  const backend = reference();
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape, values(name, 0))]),
  );
  return { parameters, optimizer: createOptimizer(spec, parameters, options) };
}

const gradientsOf = (step: number): Record<string, Float32Array> =>
  Object.fromEntries(Object.keys(shapes).map((name) => [name, values(name, step)]));

/** Where an explanation of an element differs from what the next step does. */
async function wrongValues(
  optimizer: Optimizer,
  parameters: Record<string, Tensor>,
): Promise<string[]> {
  const wrong: string[] = [];
  const check = (what: string, got: unknown, expected: unknown): void => {
    if (!Object.is(got, expected)) wrong.push(`${what}: ${String(got)}, not ${String(expected)}`);
  };
  for (let step = 1; step < 4; step += 1) {
    const gradients = gradientsOf(step);
    const explained = new Map<string, Awaited<ReturnType<Optimizer["explain"]>>>();
    for (const [name, { size }] of Object.entries(parameters))
      for (let i = 0; i < size; i += 1)
        explained.set(`${name} ${i}`, await optimizer.explain(name, i, gradients));
    optimizer.step(gradients);
    const { slots } = await optimizer.state();
    for (const [name, parameter] of Object.entries(parameters)) {
      const after = await parameter.read();
      for (let i = 0; i < after.length; i += 1) {
        const one = explained.get(`${name} ${i}`)!;
        check(`step of ${name} ${i}`, one.step, step);
        check(`gradient of ${name} ${i}`, one.gradient, gradients[name][i]);
        check(`${name} ${i}`, one.after, after[i]);
        for (const [slot, array] of Object.entries(slots[name])) {
          if (array.length !== after.length) continue;
          const last = one.lines.filter((line) => line.name === slot).at(-1);
          if (last !== undefined) check(`${slot} of ${name} ${i}`, last.value, array[i]);
        }
      }
    }
  }
  return wrong;
}

describe("explain says what the next step does", () => {
  test.each(sampled(rules, 10).map((rule) => [rule.name, rule] as const))("%s", async (_, rule) => {
    const { optimizer, parameters } = make(rule.specify({ weightDecay: 0.01 }));
    expect(await wrongValues(optimizer, parameters)).toEqual([]);
  });

  test("a chain, and rules that share a reduction", async () => {
    const clipped = (rule: OptimizerSpec) => chain(clipByGlobalNorm(0.5), rule, ema(0.9));
    const { optimizer, parameters } = make(clipped(sgd({ momentum: 0.9 })), {
      groups: [{ match: "a", rule: clipped(adam()) }],
    });
    expect(await wrongValues(optimizer, parameters)).toEqual([]);
  });

  test("rules that share one of several reductions", async () => {
    const own = defineRule({
      name: "own",
      hyperparameters: { learningRate: nonNegative(0.1) },
      perElement: "u = g * learningRate / (1 + maxAll(-g) + sumAll(p) + normAll(g))",
    });
    const clipped = (rule: OptimizerSpec) => chain(clipByGlobalNorm(0.5), rule);
    for (const [one, other] of [
      [own(), adam()],
      [adam(), own()],
      [own(), own({ learningRate: 0.5 })],
    ]) {
      const groups = [{ match: "a", rule: clipped(one) }];
      const { optimizer, parameters } = make(clipped(other), { groups });
      expect(await wrongValues(optimizer, parameters)).toEqual([]);
    }
  });

  test("a chain, and a rule without its reduction", async () => {
    const { optimizer, parameters } = make(chain(clipByGlobalNorm(0.5), sgd()), {
      groups: [{ match: "a", rule: adam() }],
    });
    expect(await wrongValues(optimizer, parameters)).toEqual([]);
  });
});

describe("an explanation", () => {
  test("has a line per statement, with what it reads", async () => {
    const p = oracle().tensor([2], [1, 2]);
    const optimizer = createOptimizer(adam({ learningRate: 0.1 }), { p });
    const explanation = await optimizer.explain("p", 1, Float64Array.of(0, 4));
    expect(explanation).toMatchObject({
      rule: "adam",
      parameter: "p",
      index: 1,
      step: 1,
      gradient: 4,
      before: 2,
    });
    const line = explanation.lines.find(({ text }) => text === "m = m + (g - m) * c1")!;
    expect(line).toMatchObject({ name: "m", when: "per element" });
    expect(line.value).toBeCloseTo(0.4, 12);
    expect(Object.keys(line.reads)).toEqual(["m", "g", "c1"]);
    expect(line.reads).toMatchObject({ m: 0, g: 4 });
    expect(explanation.after).toBeCloseTo(1.9, 6);
    expect(String(explanation)).toContain(
      "adam, step 1: p[1] goes from 2 to 1.9, with a gradient of 4",
    );
    expect(String(explanation)).toMatch(
      / {2}0\.4 +m = m \+ \(g - m\) \* c1 {3}\(m 0, g 4, c1 0\.1\)/,
    );
  });

  test("has the stage's name before what a stage calculates for itself, where a name would stand for two values", async () => {
    const p = reference().tensor([1], [1]);
    const optimizer = createOptimizer(chain(sgd(), ema(0.9)), { p });
    const { lines } = await optimizer.explain("p", 0, { p: Float32Array.of(1) });
    const average = lines.find(({ name, when }) => name === "ema" && when === "per element")!;
    expect(average.text).toBe("ema = ema * ema_decay + p * weight");
    expect(Object.keys(average.reads)).toEqual(["ema", "ema_decay", "p", "weight"]);
    const scalars = lines.filter(({ when }) => when === "per step").map(({ name }) => name);
    expect(scalars).toContain("decay");
    expect(new Set(scalars).size).toBe(scalars.length);
  });

  test("of a step that is not taken says why, and that nothing changes", async () => {
    const frozen = make(adam(), { groups: [{ match: "a", frozen: true }] }).optimizer;
    const still = await frozen.explain("a", 0, values("a", 1));
    expect(still).toMatchObject({ unchanged: "frozen", after: still.before });
    expect(String(still)).toMatch(
      /: a\[0\] stays [-\d.]+, because its group is frozen, with a gradient/,
    );
    const infinite = { a: values("a", 1), b: Float32Array.of(0, 0, Infinity, 0) };
    for (const options of [{ nonFinite: "skip" }, { nonFinite: "throw" }, { lossScale: 2 }]) {
      const { optimizer } = make(adam(), options);
      const skipped = await optimizer.explain("a", 0, infinite);
      expect(skipped).toMatchObject({ unchanged: "non-finite", after: skipped.before });
      expect(String(skipped)).toMatch(/ stays [-\d.]+, because a gradient is not finite, with/);
      expect((await optimizer.explain("a", 0, values("a", 1))).unchanged).toBeUndefined();
    }
    expect((await make(adam()).optimizer.explain("a", 0, infinite)).unchanged).toBeUndefined();
  });

  test("reads each gradient once", async () => {
    const { optimizer, parameters } = make(adam(), { nonFinite: "skip" });
    const gradient = parameters.a.backend.tensor(parameters.a.shape);
    let reads = 0;
    const read = gradient.read.bind(gradient);
    gradient.read = () => {
      reads += 1;
      return read();
    };
    await optimizer.explain("a", 0, { a: gradient });
    expect(reads).toBe(1);
  });

  test("takes the sparse gradient of one parameter", async () => {
    const { optimizer } = make(adam(), { sparse: "lazy" });
    const gradient = { indices: Uint32Array.of(1), values: Float32Array.of(3, 4) };
    expect(await optimizer.explain("a", 3, gradient)).toMatchObject({ gradient: 4 });
    expect(await optimizer.explain("a", 0, gradient)).toMatchObject({ gradient: 0 });
  });

  test("is refused while the weights to evaluate with are swapped in", async () => {
    const { optimizer } = make(chain(adam(), ema(0.9)));
    optimizer.swap();
    await expect(optimizer.explain("a", 0, values("a", 1))).rejects.toMatchObject({
      code: "SWAPPED",
    });
  });

  test("changes nothing", async () => {
    const { optimizer, parameters } = make(adam());
    const before = [await optimizer.state(), await parameters.a.read()];
    await optimizer.explain("a", 0, values("a", 1));
    expect([await optimizer.state(), await parameters.a.read()]).toEqual(before);
  });

  test.each([
    ["another parameter", "z", 0, Float32Array.of(1), "UNKNOWN_PARAMETER"],
    ["an index outside", "c", 1, Float32Array.of(1), "INVALID_PARAMETER"],
    ["no index", "c", undefined, Float32Array.of(1), "INVALID_PARAMETER"],
    ["another length", "c", 0, Float32Array.of(1, 2), "LENGTH_MISMATCH"],
    [
      "an unknown gradient",
      "c",
      0,
      { c: Float32Array.of(1), z: Float32Array.of(1) },
      "UNKNOWN_PARAMETER",
    ],
    ["no gradient", "c", 0, { a: values("a", 1) }, "INVALID_GRADIENT"],
    ["nothing", "c", 0, undefined, "INVALID_GRADIENT"],
  ])("%s is refused", async (_, name, index, gradients, code) => {
    const { optimizer } = make(adam());
    const failure = await optimizer.explain(name, index as number, gradients as never).then(
      () => undefined,
      (error: unknown) =>
        failureOf(() => {
          throw error;
        }),
    );
    expect(failure?.code).toBe(code);
  });
});

test("Muon's iterations that compute nothing, and their coefficients, are left out", async () => {
  const w = reference().tensor([2, 2], [1, 2, 3, 4]);
  const optimizer = createOptimizer(muon(), { w });
  for (const [steps, last] of [
    [3, "c2"],
    [10, "c9"],
    [0, "normFactor"],
  ] as const) {
    optimizer.nsSteps = steps;
    const { lines, after } = await optimizer.explain("w", 3, values("b", 1));
    expect(lines.filter(({ text }) => text.includes("newtonSchulz"))).toHaveLength(steps);
    expect(lines.filter(({ when }) => when === "per step").at(-1)!.name).toBe(last);
    const copy = reference().tensor([2, 2], [1, 2, 3, 4]);
    createOptimizer(muon({ nsSteps: steps }), { copy }).step({ copy: values("b", 1) });
    expect((await copy.read())[3]).toBe(after);
  }
});

test.each([
  [1, 0, 0, 0],
  [2, 0, 0, 1],
  [1, 2, 0, 1],
  [1, 0, 2, 1],
])(
  "of an iteration with coefficients %d, %d and %d, %d lines are shown",
  async (a, b, c, count) => {
    const rule = defineRule({
      name: "iterated",
      hyperparameters: { learningRate: nonNegative(0.5) },
      perElement: `o = newtonSchulz(g, ${a}, ${b}, ${c}); u = learningRate * o`,
    });
    const w = reference().tensor([1, 1], [7]);
    const { lines, after } = await createOptimizer(rule(), { w }).explain(
      "w",
      0,
      Float32Array.of(3),
    );
    expect(lines.filter(({ name }) => name === "o")).toHaveLength(count);
    // aX + bX³ + cX⁵ of a matrix with one value.
    expect(after).toBe(7 - 0.5 * (3 * a + 27 * b + 243 * c));
  },
);
