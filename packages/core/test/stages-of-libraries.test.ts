import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  adam,
  adaptiveGradientClip,
  centralizeGradients,
  chain,
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
  trustRatio,
  unitNorm,
  type OptimizerSpec,
} from "../src/index.js";
import {
  fromKeras,
  optaxOptionNames,
  withKerasStages,
  type KerasConstraint,
  type KerasOptimizer,
} from "../src/interop/index.js";
import { oracle } from "../src/reference.js";
import { errorOf } from "./relative-error.js";
import { codeOf } from "./support.js";

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

test("the stages that arguments of Keras ask for, around a rule", () => {
  const plain = adam();
  for (const none of [{}, { clipnorm: null, use_ema: false }, { clipvalue: 0 }])
    expect(withKerasStages(plain, none)).toBe(plain);
  const { rule, hyperparameters } = withKerasStages(plain, {
    global_clipnorm: 2,
    use_ema: true,
    ema_momentum: 0.5,
  });
  expect(rule.name).toBe("clip-by-global-norm+adam+ema");
  expect(hyperparameters).toMatchObject({ globalClipNorm: 2, emaMomentum: 0.5, emaOverwrite: 0 });
  expect(withKerasStages(plain, { clipnorm: 1 }).rule.name).toBe("clip-by-norm+adam");
  expect(withKerasStages(plain, { use_ema: true }).rule.name).toBe("adam+ema");
  const both = { clipnorm: 1, clipvalue: 1 };
  expect(codeOf(() => withKerasStages(plain, both))).toBe("INVALID_HYPERPARAMETER");
});

test("the options of a part of a chain of Optax", () => {
  expect(optaxOptionNames("clip_by_global_norm")).toEqual(["max_norm"]);
  expect(optaxOptionNames("adamw")).toEqual(expect.arrayContaining(["b1", "weight_decay"]));
  expect(codeOf(() => optaxOptionNames("toString"))).toBe("UNSUPPORTED");
});
