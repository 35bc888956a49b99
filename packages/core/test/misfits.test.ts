import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { oracle, reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { cosineDecay } from "../src/schedules/factories.js";
import { failureOf } from "./support.js";
import { misfitsOf, ratedAdam, shapes, trained } from "./misfits.js";

test("all misfits are in one error, each with what was got, what was expected and a remedy", async () => {
  const groups = [{ match: "b", learningRate: 0.5 }];
  const optimizer = trained(shapes, { options: { groups, accumulate: 2 } });
  const good = await optimizer.state();
  const state = {
    ...good,
    iterations: -1,
    options: { ...good.options, amsgrad: true },
    hyperparameters: { ...good.hyperparameters, beta1: 2, speed: 1 },
    groups: [
      { ...good.groups[0], iterations: 0.5 },
      { ...good.groups[1], hyperparameters: { learningRate: null }, frozen: "no" },
    ],
    shapes: { w: [3, 2], b: [3], extra: [1] },
    slots: { ...good.slots, b: { m: [1, null, 3], u: [1] } },
    rowSteps: { b: [1, 2, 3] },
    control: { ...good.control, microSteps: 2, lossScale: null },
  };
  expect((await misfitsOf(optimizer, state)).sort()).toEqual([
    "control control.accumulated.w",
    "control control.microSteps",
    "format control.lossScale",
    "format groups.0.iterations",
    "format groups.1.frozen",
    "format iterations",
    "format slots.b.m[1]",
    "hyperparameter groups.1.hyperparameters.learningRate",
    "hyperparameter hyperparameters.beta1",
    "hyperparameter hyperparameters.speed",
    "parameter shapes.extra",
    "rowSteps rowSteps.b",
    "rule options.amsgrad",
    "shape shapes.w",
    "slot slots.b.u",
    "slot slots.b.v",
  ]);
});

test.each<[string, unknown]>([
  ["null", null],
  ["nothing in it", {}],
  ["a scale of text", { scale: "5", goodSteps: 0 }],
  ["a scale of NaN", { scale: Number.NaN, goodSteps: 0 }],
  ["a scale of 0", { scale: 0, goodSteps: 0 }],
  ["a scale below 0", { scale: -1, goodSteps: 0 }],
  ["half a good step", { scale: 1, goodSteps: 0.5 }],
  ["−1 good steps", { scale: 1, goodSteps: -1 }],
  ["no good steps", { scale: 1 }],
])("a loss scale with %s is a misfit", async (_, lossScale) => {
  const optimizer = trained(shapes, { options: { lossScale: "dynamic" } });
  const state = structuredClone(await optimizer.state());
  const { control } = state;
  expect(await misfitsOf(optimizer, { ...state, control: { ...control, lossScale } })).toEqual([
    "format control.lossScale",
  ]);
});

test.each<[string, unknown, string]>([
  ["a schedule", { schedule: "constant", options: { value: 1 } }, "schedule"],
  ["a schedule without options", { schedule: "constant" }, "hyperparameter"],
  ["a schedule whose options are null", { schedule: "constant", options: null }, "hyperparameter"],
  ["options of no schedule", { options: { value: 1 } }, "hyperparameter"],
  ["text", "0.1", "hyperparameter"],
])("%s as the value of a number is a misfit", async (_, learningRate, kind) => {
  const optimizer = trained(shapes);
  const { hyperparameters, ...state } = structuredClone(await optimizer.state());
  const saved = { ...state, hyperparameters: { ...hyperparameters, learningRate } };
  expect(await misfitsOf(optimizer, saved)).toEqual([`${kind} hyperparameters.learningRate`]);
});

test("a misfit is one line of text, and data", async () => {
  const optimizer = trained(shapes);
  const state = await trained({ w: [2, 3], b: [4] }).state();
  const { message, misfits } = failureOf(() => optimizer.restore(state));
  expect(misfits).toEqual([
    {
      kind: "shape",
      path: "shapes.b",
      got: "[4]",
      expected: "[3]",
      message:
        "shapes.b is [4]; expected [3]. Give the parameter the shape that it has in the state.",
    },
  ]);
  expect(message).toBe(
    "The state does not fit this optimizer: shapes.b is [4]; expected [3]. Give the parameter the shape that it has in the state. Nothing was changed; restore(state, { partial: true }) takes what fits.",
  );
});

test("the message lists 20 misfits and says how many more there are", async () => {
  const names = Array.from({ length: 50 }, (_, i) => `p${i}`);
  const state = await trained(Object.fromEntries(names.map((name) => [name, [1]]))).state();
  const { message, misfits } = failureOf(() => trained({ w: [1] }).restore(state));
  // The parameters that only one of the two has.
  expect(misfits).toHaveLength(51);
  expect(message).toContain("in 51 places:\n- shapes.p0 is [1]");
  expect(message.match(/\n- /g)).toHaveLength(21);
  expect(message).toContain("- 31 more");
});

describe("a group that follows a schedule", () => {
  const groups = (steps?: number) => [
    { match: "b", ...(steps && { learningRate: cosineDecay(1, steps) }) },
  ];
  const make = (steps?: number) =>
    trained(shapes, { options: { groups: groups(steps) }, steps: 1 });

  test("of the code alone is a misfit, and is kept with schedules: code", async () => {
    const state = await make().state();
    const optimizer = make(10);
    const { misfits } = failureOf(() => optimizer.restore(state));
    expect(misfits).toMatchObject([
      { kind: "schedule", path: "groups.1.hyperparameters.learningRate", got: "no schedule" },
    ]);
    optimizer.restore(state, { schedules: "code" });
    expect(optimizer.groups[0].learningRate).toBe(cosineDecay(1, 10).valueAt(1));
  });

  test("of the state alone is a misfit, and follows the optimizer with schedules: code", async () => {
    const state = await make(10).state();
    const optimizer = make();
    expect(failureOf(() => optimizer.restore(state)).misfits).toMatchObject([
      { kind: "schedule", path: "groups.1.hyperparameters.learningRate" },
    ]);
    optimizer.restore(state, { schedules: "code" });
    expect(optimizer.groups[0].learningRate).toBe(0.1);
  });
});

test("a dynamic loss scale begins with its first value where the state has none", async () => {
  const options = { lossScale: { initial: 8, growthInterval: 1 } };
  const optimizer = trained(shapes, { options });
  expect(optimizer.lossScale).toBe(64);
  optimizer.restore(await trained(shapes).state());
  expect(optimizer.lossScale).toBe(8);
});

test.each([
  [8, undefined, "no loss scale", 1],
  [undefined, 8, "8", 0],
])(
  "gradients accumulated with the loss scale %s are no part of a step with %s",
  async (scale, other, expected, betweenSteps) => {
    const [saved, here] = [scale, other].map((lossScale) => {
      const options = { accumulate: 2, ...(lossScale !== undefined && { lossScale }) };
      const w = reference().tensor([1], [1]);
      return createOptimizer(adam(), { w }, options);
    });
    saved.step({ w: Float32Array.of(1) });
    const state = await saved.state();
    expect(failureOf(() => here.restore(state)).misfits).toMatchObject([
      { kind: "control", path: "control.lossScale", expected },
    ]);
    expect(here.restore(state, { partial: true })).toHaveLength(1);
    expect((await here.state()).control?.microSteps).toBe(0);
    saved.step({ w: Float32Array.of(1) });
    const whole = await saved.state();
    expect(here.restore(whole, { partial: true })).toHaveLength(betweenSteps);
  },
);

test("a loss scale that the optimizer does not have is a misfit, also between steps", async () => {
  const scaled = trained(shapes, { options: { lossScale: { initial: 8, growthInterval: 100 } } });
  const state = await scaled.state();
  const plain = trained(shapes, { steps: 1 });
  expect(await misfitsOf(plain, state)).toEqual(["control control.lossScale"]);
  expect(plain.iterations).toBe(3);
  const counting = trained(shapes, { options: { nonFinite: "skip" } });
  expect(await misfitsOf(counting, state)).toEqual(["control control.lossScale"]);
});

describe("schedules that count calls", () => {
  const spec: OptimizerSpec = adam({ learningRate: cosineDecay(0.1, 100) });
  const calls = (accumulate: number, schedulesCount = "calls") => ({
    spec,
    steps: 2 * accumulate,
    options: { accumulate, schedulesCount },
  });

  test.each([
    ["another accumulate", calls(2), "2", "4"],
    ["those that count steps", calls(4, "steps"), "1", "4"],
    ["no accumulate", { spec }, "1", "4"],
  ])("are a misfit with the state of %s, since they would move", async (_, from, got, expected) => {
    const state = await trained(shapes, from).state();
    const optimizer = trained(shapes, calls(4));
    const error = failureOf(() => optimizer.restore(state));
    expect(error.misfits).toMatchObject([
      { kind: "schedule", path: "control.callsPerStep", got, expected },
    ]);
    expect(optimizer.restore(state, { schedules: "code" })).toEqual([]);
    expect(optimizer.iterations).toBe(state.iterations);
  });

  test("are none with the same accumulate, or without a schedule", async () => {
    const state = await trained(shapes, calls(2)).state();
    expect(trained(shapes, calls(2)).restore(state)).toEqual([]);
    const plain = { spec: ratedAdam, options: calls(2).options };
    const other = { spec: ratedAdam, options: calls(3).options };
    const without = await trained(shapes, { ...plain, steps: 2 }).state();
    expect(trained(shapes, other).restore(without)).toEqual([]);
  });
});

test("a state of f64 can be restored in f32, and one of f32 in f64 without a changed value", async () => {
  const f32 = await trained({ w: [3] }).state();
  const wide = createOptimizer(adam({ learningRate: 0.1 }), { w: oracle().tensor([3]) });
  expect(wide.restore(f32)).toEqual([]);
  const f64 = await wide.state();
  expect([...f64.slots.w.v]).toEqual([...f32.slots.w.v]);
  const narrow = trained({ w: [3] }, { steps: 0 });
  narrow.restore(f64);
  expect((await narrow.state()).slots).toEqual(f32.slots);
});

test("a state has what JSON and structuredClone keep, and nothing else", async () => {
  const state: OptimizerState = await trained(shapes).state();
  expect(structuredClone(state)).toEqual(state);
  expect(Object.keys(state)).toEqual([
    "version",
    "rule",
    "options",
    "hyperparameters",
    "iterations",
    "shapes",
    "groups",
    "slots",
  ]);
});
