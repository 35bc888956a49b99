import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import {
  adaptiveGradientClip,
  adam,
  adamw,
  cautiousUpdate,
  cautiousWeightDecay,
  centralizeGradients,
  chain,
  clampWeights,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  clipUpdateByRms,
  createOptimizer,
  decoupledWeightDecay,
  ema,
  lookahead,
  maxNorm,
  nonNegativeWeights,
  sgd,
  stableUpdate,
  trustRatio,
  unitNorm,
  type ChainPart,
  type OptimizerSpec,
} from "../src/index.js";
import { fromKeras, type KerasConstraint, type KerasOptimizer } from "../src/interop/index.js";
import { codeOf } from "./support.js";
import { bytecodeOf } from "../src/language/bytecode.js";
import { interpret } from "../src/language/interpret.js";
import { oracle, reference } from "../src/reference.js";
import { rules } from "../src/rules/index.js";
import { stages } from "../src/stages/index.js";

type NamedValues = Readonly<Record<string, readonly number[]>>;

interface Case {
  readonly id: string;
  /** What Keras prints. */
  readonly optimizer?: KerasOptimizer;
  readonly constraint?: KerasConstraint;
  readonly expected: readonly NamedValues[];
  readonly slow?: readonly NamedValues[];
}

/** Runs of Optax 0.2.8 and Keras 3.15.1 in f64. */
const runs = JSON.parse(readFileSync(new URL("fixtures/stages.json", import.meta.url), "utf8")) as {
  readonly parameters: Readonly<Record<string, { shape: readonly number[]; values: number[] }>>;
  readonly gradients: readonly NamedValues[];
  readonly cases: readonly Case[];
};

function runOf(id: string): Case {
  return runs.cases.find((one) => one.id === id)!;
}

/** The values of a matrix by column, if there is one. */
function transposed(values: readonly number[], shape: readonly number[]): readonly number[] {
  const [rows, columns = 1] = shape;
  return Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]);
}

/**
 * Steps with the gradients of a run. Returns the largest error of a parameter after any step, and of the slot `slow`,
 * relative to the largest value of the element so far: what passes through 0 keeps the rounding errors of larger values.
 */
async function errorInRun(
  spec: OptimizerSpec,
  { expected, slow }: Case,
  isTransposed = false,
): Promise<number> {
  const backend = oracle();
  const turned = (values: NamedValues): NamedValues =>
    Object.fromEntries(
      Object.entries(values).map(([name, one]) => [
        name,
        isTransposed ? transposed(one, runs.parameters[name].shape) : one,
      ]),
    );
  const parameters = Object.fromEntries(
    Object.entries(runs.parameters).map(([name, { shape, values }]) => [
      name,
      backend.tensor(isTransposed ? [...shape].reverse() : shape, turned({ [name]: values })[name]),
    ]),
  );
  const optimizer = createOptimizer(spec, parameters);
  const largest: Record<string, readonly number[]> = {};
  let worst = 0;
  for (let t = 0; t < runs.gradients.length; t += 1) {
    const gradients = Object.entries(turned(runs.gradients[t]));
    optimizer.step(
      Object.fromEntries(gradients.map(([name, values]) => [name, Float64Array.from(values)])),
    );
    for (const [name, values] of Object.entries(turned(expected[t]))) {
      const before = largest[name] ?? [];
      largest[name] = values.map((value, i) => Math.max(Math.abs(value), before[i] ?? 0));
      worst = Math.max(worst, errorOf(await parameters[name].read(), values, largest[name]));
    }
    const { slots } = await optimizer.state();
    for (const [name, values] of Object.entries(slow?.[t] ?? {}))
      worst = Math.max(worst, errorOf(slots[name].slow, values));
  }
  return worst;
}

/** The largest error, relative to the magnitudes. */
function errorOf(
  got: ArrayLike<number>,
  expected: readonly number[],
  magnitudes: readonly number[] = expected.map(Math.abs),
): number {
  const errors = expected.map((value, i) =>
    got[i] === value ? 0 : Math.abs(got[i] - value) / magnitudes[i],
  );
  return got.length === expected.length ? Math.max(...errors) : Infinity;
}

const optaxAdam = adam({
  learningRate: 0.05,
  epsilon: 1e-8,
  epsilonMode: "paper",
  averageForm: "sum-of-squares",
});

describe("Optax's run of", () => {
  test.each<[string, OptimizerSpec]>([
    ["clip", chain(clipByValue(0.05), optaxAdam)],
    ["clip_by_global_norm", chain(clipByGlobalNorm(0.5), optaxAdam)],
    [
      "adaptive_grad_clip",
      chain(adaptiveGradientClip({ agcClipping: 0.02, agcEpsilon: 0.5 }), optaxAdam),
    ],
    ["centralize", chain(centralizeGradients({ centralizeAxis: "row" }), optaxAdam)],
    ["clip_by_block_rms", chain(optaxAdam, clipUpdateByRms(0.7))],
    [
      "scale_by_trust_ratio",
      chain(
        optaxAdam,
        decoupledWeightDecay(0.1),
        trustRatio({ trustRatioCoefficient: 0.5, trustRatioEpsilon: 0.1 }),
      ),
    ],
    ["keep_params_nonnegative", chain(optaxAdam, nonNegativeWeights())],
    ["lookahead", chain(optaxAdam, lookahead({ lookaheadSteps: 3, lookaheadStepSize: 0.3 }))],
  ])("%s", async (id, spec) => {
    expect(await errorInRun(spec, runOf(id))).toBeLessThanOrEqual(1e-12);
  });

  test.each<[string, OptimizerSpec]>([
    [
      "adaptive_grad_clip",
      chain(
        adaptiveGradientClip({ agcClipping: 0.02, agcEpsilon: 0.5, agcAxis: "row" }),
        optaxAdam,
      ),
    ],
    ["centralize", chain(centralizeGradients(), optaxAdam)],
  ])("%s, with rows for columns", async (id, spec) => {
    expect(await errorInRun(spec, runOf(id), true)).toBeLessThanOrEqual(1e-12);
  });
});

describe("Keras's run with", () => {
  const kerasAdam = adam({ learningRate: 0.05 });
  test.each<[string, OptimizerSpec]>([
    ["NonNeg", chain(kerasAdam, nonNegativeWeights())],
    ["MaxNorm", chain(kerasAdam, maxNorm(1.2))],
    ["MaxNorm, axis 1", chain(kerasAdam, maxNorm({ maxNorm: 1.2, maxNormAxis: "row" }))],
    ["UnitNorm", chain(kerasAdam, unitNorm())],
    ["UnitNorm, axis 1", chain(kerasAdam, unitNorm({ unitNormAxis: "row" }))],
    ["MinMaxNorm", chain(kerasAdam, maxNorm({ minNorm: 0.5, maxNorm: 0.8, normRate: 0.4 }))],
    [
      "MinMaxNorm, axis 1",
      chain(kerasAdam, maxNorm({ minNorm: 0.5, maxNorm: 0.8, normRate: 0.4, maxNormAxis: "row" })),
    ],
    [
      "EMA and MaxNorm",
      chain(clipByNorm(0.5), kerasAdam, ema({ emaMomentum: 0.9, emaOverwrite: 3 }), maxNorm(1.2)),
    ],
  ])("%s", async (id, spec) => {
    expect(await errorInRun(spec, runOf(id))).toBeLessThanOrEqual(1e-12);
  });
});

const kerasRuns = runs.cases.filter(({ optimizer }) => optimizer !== undefined);

test.each(kerasRuns)("fromKeras, with what Keras printed: $id", async (run) => {
  const spec = fromKeras(run.optimizer!, { constraint: run.constraint ?? null });
  expect(await errorInRun(spec, run)).toBeLessThanOrEqual(1e-12);
});

/** One step of gradient descent with rate 0.5 on a tensor, in f64. */
async function afterStep(
  shape: readonly number[],
  p: readonly number[],
  g: readonly number[],
  ...parts: readonly ChainPart[]
): Promise<number[]> {
  const tensor = oracle().tensor(shape, p);
  createOptimizer(chain(...parts), { p: tensor }).step({ p: Float64Array.from(g) });
  return [...(await tensor.read())];
}

describe("the paper's formula of", () => {
  const p = [1, -2, 3, -4, 0, 1];
  const g = [1, -2, -3, 0, 5, 1e-30];
  const rate = 0.5;
  const descent = sgd({ learningRate: rate });

  test("clipping by the norm of each tensor", async () => {
    const backend = oracle();
    const [a, b] = [backend.tensor([2]), backend.tensor([1])];
    createOptimizer(chain(clipByNorm(2.5), descent), { a, b }).step({
      a: Float64Array.of(3, 4),
      b: Float64Array.of(2),
    });
    expect(errorOf(await a.read(), [-1.5 * rate, -2 * rate])).toBeLessThanOrEqual(1e-12);
    expect(errorOf(await b.read(), [-2 * rate])).toBeLessThanOrEqual(1e-12);
  });

  test("cautious updates", async () => {
    // Momentum turns the sign of two updates against their gradients.
    const optimizerOf = (...parts: readonly ChainPart[]) => {
      const tensor = oracle().tensor([6], p);
      const optimizer = createOptimizer(chain(...parts), { p: tensor });
      return { tensor, optimizer };
    };
    const momentum = sgd({ learningRate: rate, momentum: 0.9 });
    const { tensor, optimizer } = optimizerOf(momentum, cautiousUpdate());
    const second = [-0.5, -1, 2, 1, 1, 1e-30];
    let m = g.map((one) => one * rate);
    let expected = p.map((one, i) => one - m[i] * (m[i] * g[i] > 0 ? 1 / (5 / 6) : 0));
    optimizer.step({ p: Float64Array.from(g) });
    expect(errorOf(await tensor.read(), expected)).toBeLessThanOrEqual(1e-12);
    m = m.map((one, i) => one * 0.9 + second[i] * rate);
    const agrees = m.map((one, i) => (Math.sign(one) === Math.sign(second[i]) ? 1 : 0));
    expect(agrees).toEqual([0, 1, 0, 1, 1, 1]);
    expected = expected.map((one, i) => one - (m[i] * agrees[i]) / (4 / 6));
    optimizer.step({ p: Float64Array.from(second) });
    expect(errorOf(await tensor.read(), expected)).toBeLessThanOrEqual(1e-12);
  });

  test("cautious weight decay", async () => {
    const expected = p.map((one, i) => {
      const u = g[i];
      return one - rate * (u + 0.1 * (u * one >= 0 ? one : 0));
    });
    expect(
      errorOf(await afterStep([6], p, g, descent, cautiousWeightDecay(0.1)), expected),
    ).toBeLessThanOrEqual(1e-12);
  });

  test("decoupled weight decay, which is that of AdamW", async () => {
    const own = await afterStep([2, 3], p, g, adamw({ learningRate: rate, weightDecay: 0.1 }));
    const stage = decoupledWeightDecay(0.1);
    expect(
      errorOf(await afterStep([2, 3], p, g, adam({ learningRate: rate }), stage), own),
    ).toBeLessThanOrEqual(1e-12);
  });

  test("StableAdamW", async () => {
    const [beta1, beta2, epsilon, decay] = [0.9, 0.8, 0.01, 0.1];
    const spec = adam({ learningRate: 0.5, beta1, beta2, epsilon, epsilonMode: "paper" });
    const tensor = oracle().tensor([2, 3], p);
    const optimizer = createOptimizer(chain(spec, decoupledWeightDecay(decay), stableUpdate()), {
      p: tensor,
    });
    let [x, v, u] = [p, p.map(() => 0), p.map(() => 0)];
    const clipped: boolean[] = [];
    for (const [t, gradient] of [
      g,
      g.map((one) => one * 0.1),
      g.map((one) => -9 * one),
    ].entries()) {
      optimizer.step({ p: Float64Array.from(gradient) });
      const debiased = (beta: number): number => (beta * (1 - beta ** t)) / (1 - beta ** (t + 1));
      const [b1, b2] = [debiased(beta1), debiased(beta2)];
      v = v.map((one, i) => b1 * one + (1 - b1) * gradient[i]);
      u = u.map((one, i) => b2 * one + (1 - b2) * gradient[i] ** 2);
      const ratios = u.map((one, i) => gradient[i] ** 2 / Math.max(one, epsilon ** 2));
      const rms = Math.sqrt(ratios.reduce((sum, one) => sum + one) / 6);
      const rate = 0.5 / Math.max(1, rms);
      clipped.push(rms > 1);
      x = x.map((one, i) => one - rate * decay * one - (rate * v[i]) / (Math.sqrt(u[i]) + epsilon));
      expect(errorOf(await tensor.read(), x)).toBeLessThanOrEqual(1e-12);
    }
    expect(clipped).toEqual([false, false, true]);
  });

  test("clamped weights", async () => {
    const bounds = { minWeight: -1, maxWeight: 0.75 };
    const expected = p.map((one, i) => Math.min(0.75, Math.max(-1, one - rate * g[i])));
    expect(
      errorOf(await afterStep([6], p, g, descent, clampWeights(bounds)), expected),
    ).toBeLessThanOrEqual(1e-12);
  });

  test("clampWeights refuses a number: it has two bounds", () => {
    expect(codeOf(() => clampWeights(0.5))).toBe("UNKNOWN_OPTION");
  });

  test("the weights of lookahead to evaluate with are the slow ones", async () => {
    const tensor = oracle().tensor([1], [1]);
    const optimizer = createOptimizer(chain(descent, lookahead({ lookaheadSteps: 2 })), {
      p: tensor,
    });
    for (const one of [1, 1, 4]) optimizer.step({ p: Float64Array.of(one) });
    expect([...(await tensor.read())]).toEqual([0.5 - 2]);
    optimizer.swap();
    expect([...(await tensor.read())]).toEqual([0.5]);
  });

  test("the average of a parameter that is added later, which begins with its values", async () => {
    const backend = oracle();
    const [a, b] = [backend.tensor([1]), backend.tensor([1], [8])];
    const optimizer = createOptimizer(chain(descent, ema(0.75)), { a });
    optimizer.step({ a: Float64Array.of(0) });
    optimizer.add({ b }).step({ b: Float64Array.of(8) });
    expect([...(await optimizer.state()).slots.b.ema]).toEqual([8 * 0.75 + 4 * 0.25]);
  });
});

describe("a gradient that is not a number", () => {
  test.each([clipByGlobalNorm(1), clipByNorm(1)])(
    "is not used unclipped ($stage.name)",
    async (clip) => {
      const [, b] = await afterStep([2], [0, 0], [Number.NaN, 1e6], clip, sgd());
      expect(b).toBeNaN();
    },
  );
});

/** Every variant of every stage. */
const variants = stages.flatMap((stage) => stage.variants());

// In WGSL, a division by 0 may give anything, even where the result is not selected.
test.each(variants)("$label divides by nothing that is 0 where p, g and u are", (variant) => {
  const owner = stages.find(({ name }) => name === variant.rule)!;
  const numbers: Record<string, number> = { t: 1, learningRate: 0.1, beta2: 0.999, epsilon: 0 };
  for (const [key, { default: value }] of Object.entries(owner.hyperparameters))
    numbers[key] = value;
  const { perStep } = variant;
  const onHost = new Float64Array(perStep.nodes.length);
  for (const { name, node } of perStep.inputs) onHost[node] = numbers[name];
  interpret(bytecodeOf(perStep), onHost);
  for (const { name, node } of perStep.outputs) numbers[name] = onHost[node];
  for (const pass of variant.passPlan.passes) {
    if (pass.kind !== "map") continue;
    const { program } = pass;
    const values = new Float64Array(program.nodes.length);
    for (const { name, node } of program.inputs)
      values[node] = name.startsWith("@count") ? 1 : (numbers[name] ?? 0);
    interpret(bytecodeOf(program), values);
    const divisors = program.nodes.flatMap(({ op, operands }) =>
      op === "div" ? [values[operands[1]]] : [],
    );
    expect(divisors).not.toContain(0);
  }
});

test.each(stages)("$name leaves zeros with gradients of 0 at 0", async ({ name, updated }) => {
  const p = reference().tensor([2, 3]);
  const order = updated === "g" ? `${name}+adam` : `adam+${name}`;
  const optimizer = createOptimizer(optimizerByName(order), { p });
  for (let step = 0; step < 6; step += 1) optimizer.step({ p: new Float32Array(6) });
  expect([...(await p.read())]).toEqual([0, 0, 0, 0, 0, 0]);
});

test.each(stages)("$name adds at most one pass over elements to Adam", ({ name, updated }) => {
  const { perElement, passPlan } = optimizerByName(
    updated === "g" ? `${name}+adam` : `adam+${name}`,
  ).rule.variant();
  const isReducing = perElement.nodes.some(({ op }) => op === "sum" || op === "maximum");
  const passes = passPlan.passes.filter((pass) => pass.kind === "map" && pass.over === "element");
  expect(passes).toHaveLength(isReducing ? 2 : 1);
});

describe("names", () => {
  const namesOf = (updated: string): readonly string[] =>
    stages.filter((stage) => stage.updated === updated).map(({ name }) => name);

  test.each(rules)("all stages can be chained with $name", (rule) => {
    const { name } = rule;
    const hasUpdate = rule.texts().perElement.some(({ text }) => text.includes("p = p - u"));
    const { slots } = rule.texts();
    const onUpdate = stages.filter(
      ({ updated, reads }) =>
        hasUpdate &&
        updated === "u" &&
        (reads.slots ?? []).every((one) => Object.hasOwn(slots, one)) &&
        (reads.hyperparameters ?? []).every((one) => Object.hasOwn(rule.hyperparameters, one)),
    );
    const all = [...namesOf("g"), name, ...onUpdate.map((one) => one.name), ...namesOf("p")];
    expect(optimizerByName(all.join("+")).rule.name).toBe(all.join("+"));
  });

  test("a chain of every stage is restored from its config", () => {
    const p = reference().tensor([2, 3], [1, 2, 3, 4, 5, 6]);
    const name = [...namesOf("g"), "adam", ...namesOf("u"), ...namesOf("p")].join("+");
    const settings = { clipValue: 0.25, maxNormAxis: "row", lookaheadSteps: 7 };
    const optimizer = createOptimizer(optimizerByName(name, settings), { p });
    optimizer.step({ p: new Float32Array(6).fill(0.1) });
    const config = JSON.parse(JSON.stringify(optimizer.config()));
    expect(config.settings).toMatchObject(settings);
    expect(createOptimizer(optimizerByName(config), { p }).config()).toEqual(config);
  });
});
