import { expect, test } from "vitest";
import { checkCheckpointParts, type CheckpointParts } from "../src/interop/index.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { chain } from "../src/rule/chain.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { lion } from "../src/rules/lion.js";
import { muonWithAdamw } from "../src/rules/muon-with-adamw.js";
import { nadam } from "../src/rules/nadam.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { cosineDecay } from "../src/schedules/factories.js";
import { clipByGlobalNorm } from "../src/stages/clip-by-global-norm.js";
import { ema } from "../src/stages/ema.js";
import { anything, failureOf, numbers } from "./support.js";

async function partsOf(spec: OptimizerSpec): Promise<CheckpointParts> {
  const backend = reference();
  const tensors = { w: backend.tensor([2, 3], numbers(6, 1)), b: backend.tensor([3]) };
  const optimizer = createOptimizer(spec, tensors);
  for (let i = 0; i < 3; i += 1) optimizer.step({ w: numbers(6, 10 + i), b: numbers(3, 20 + i) });
  const { w, b } = tensors;
  return {
    config: JSON.parse(JSON.stringify(optimizer.config())) as CheckpointParts["config"],
    state: await optimizer.state(),
    parameters: {
      w: { shape: w.shape, values: await w.read() },
      b: { shape: b.shape, values: await b.read() },
    },
  };
}

function check(parts: unknown): void {
  checkCheckpointParts("writeIt", anything(parts));
}

test.each<[string, OptimizerSpec]>([
  ["a rule", adam({ amsgrad: true, weightDecay: 0.1 })],
  ["scalars that are kept", nadam()],
  ["a schedule", sgd({ learningRate: cosineDecay(0.1, 20), momentum: 0.9 })],
  ["stages", chain(clipByGlobalNorm(1), adam(), ema(0.9))],
  ["groups with a rule of their own", muonWithAdamw()],
  ["groups", { ...adam(), groups: [{ match: "b", learningRate: 0.5, frozen: true }] }],
  ["steps of several calls", { ...adam(), control: { accumulate: 2, lossScale: 8 } }],
  ["skipped steps", { ...adam(), control: { nonFinite: "skip" } }],
  ["row steps", { ...adam(), sparseOptions: { sparse: "lazy", rowSteps: true } }],
])("what belongs together passes: %s", async (_, spec) => {
  const parts = await partsOf(spec);
  expect(() => check(parts)).not.toThrow();
  // With other tensors of the model, and as JSON.
  const other = { shape: [1], values: Float32Array.of(1) };
  const state: unknown = JSON.parse(JSON.stringify(parts.state));
  const parameters = { ...parts.parameters, other };
  expect(() => check({ config: parts.config, state, parameters })).not.toThrow();
});

test.each<[string, (parts: CheckpointParts, other: CheckpointParts) => unknown, string, string]>([
  ["nothing", () => undefined, "STATE_MISMATCH", "got undefined"],
  ["no config", ({ state, parameters }) => ({ state, parameters }), "STATE_MISMATCH", "config is"],
  [
    "a state that was not awaited",
    (parts) => ({ ...parts, state: Promise.resolve(parts.state) }),
    "STATE_MISMATCH",
    "await optimizer.state()",
  ],
  ["no state", ({ config, parameters }) => ({ config, parameters }), "STATE_MISMATCH", "state is"],
  [
    "no parameters",
    ({ config, state }) => ({ config, state }),
    "INVALID_PARAMETER",
    "parameters is undefined",
  ],
  [
    "a map of parameters",
    (parts) => ({ ...parts, parameters: new Map(Object.entries(parts.parameters)) }),
    "INVALID_PARAMETER",
    "{ shape, values } by name",
  ],
  [
    "values that were not awaited",
    (parts) => ({
      ...parts,
      parameters: { ...parts.parameters, w: { shape: [2, 3], values: Promise.resolve() } },
    }),
    "INVALID_PARAMETER",
    '"w"',
  ],
  [
    "too few values",
    (parts) => ({
      ...parts,
      parameters: { ...parts.parameters, w: { shape: [2, 3], values: new Float32Array(5) } },
    }),
    "INVALID_PARAMETER",
    "5 values; expected 6",
  ],
  [
    "another shape",
    (parts) => ({
      ...parts,
      parameters: { ...parts.parameters, w: { shape: [3, 2], values: new Float32Array(6) } },
    }),
    "STATE_MISMATCH",
    "w has the shape",
  ],
  [
    "the state of another rule",
    (parts, { state }) => ({ ...parts, state }),
    "STATE_MISMATCH",
    'rule is "lion" in the state, and "adam" in the config',
  ],
  [
    "another option",
    (parts) => ({
      ...parts,
      state: { ...parts.state, options: { ...parts.state.options, amsgrad: true } },
    }),
    "STATE_MISMATCH",
    "options.amsgrad is true in the state, and false in the config",
  ],
  [
    "another number of groups",
    (parts) => ({
      ...parts,
      state: { ...parts.state, groups: [...parts.state.groups, parts.state.groups[0]] },
    }),
    "STATE_MISMATCH",
    "groups is an array of 2 in the state, and an array of 1 in the config",
  ],
  [
    "a missing slot",
    (parts) => ({
      ...parts,
      state: { ...parts.state, slots: { ...parts.state.slots, b: { m: new Float32Array(3) } } },
    }),
    "STATE_MISMATCH",
    "slots.b.v is missing in the state, and 3 values in the config",
  ],
])("%s is an error that says what to do", async (_, change, code, text) => {
  const changed = change(await partsOf(adam()), await partsOf(lion()));
  const error = failureOf(() => check(changed));
  expect(error.code).toBe(code);
  expect(error.message).toContain("writeIt: ");
  expect(error.message).toContain(text);
});

test("the state of another schedule is an error", async () => {
  const parts = await partsOf(adam({ learningRate: cosineDecay(0.1, 20) }));
  const other = await partsOf(adam({ learningRate: cosineDecay(0.1, 40) }));
  expect(failureOf(() => check({ ...parts, state: other.state })).misfits).toMatchObject([
    { kind: "schedule", path: "hyperparameters.learningRate" },
  ]);
});
