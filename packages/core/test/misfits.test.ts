import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import { oracle, reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { nadam } from "../src/rules/nadam.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { sgd } from "../src/rules/sgd.js";
import { cosineDecay } from "../src/schedules/factories.js";
import { anything, failureOf, numbers } from "./support.js";

type Shapes = Readonly<Record<string, readonly number[]>>;

const ratedAdam: OptimizerSpec = adam({ learningRate: 0.1 });

/** An optimizer after some steps; `seed` is of the gradients. */
function trained(
  shapes: Shapes,
  { steps = 3, seed = 1, spec = ratedAdam, options = {} } = {},
): Optimizer {
  const backend = reference();
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
  );
  const optimizer = createOptimizer(spec, tensors, options) as unknown as Optimizer;
  for (let i = 0; i < steps; i += 1)
    optimizer.step(
      Object.fromEntries(
        Object.entries(tensors).map(([name, { size }], k) => [
          name,
          numbers(size, 100 * seed + 10 * k + i),
        ]),
      ),
    );
  return optimizer;
}

const shapes = { w: [2, 3], b: [3] };

/** The misfits of a state, which must be the same with and without `partial`. */
async function misfitsOf(optimizer: Optimizer, state: unknown): Promise<string[]> {
  const before = await optimizer.state();
  const error = failureOf(() => optimizer.restore(anything(state)));
  expect(error.code).toBe("STATE_MISMATCH");
  expect(await optimizer.state()).toEqual(before);
  const { misfits = [] } = error;
  for (const { message } of misfits.slice(0, 20)) expect(error.message).toContain(message);
  expect(optimizer.restore(anything(state), { partial: true })).toEqual(misfits);
  return misfits.map(({ kind, path }) => `${kind} ${path}`);
}

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

describe("partial: true", () => {
  test("takes the slots of parameters that are the same, and leaves the others as they are", async () => {
    const state = await trained({ w: [2, 3], b: [3], old: [2] }).state();
    const optimizer = trained({ w: [2, 3], b: [4], added: [2] }, { seed: 5, steps: 1 });
    const before = await optimizer.state();
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "parameter shapes.old",
      "shape shapes.b",
      "parameter shapes.added",
    ]);
    const after = await optimizer.state();
    expect(after.slots).toEqual({
      w: state.slots.w,
      b: before.slots.b,
      added: before.slots.added,
    });
    expect(after.iterations).toBe(3);
    expect(after.groups[0].iterations).toBe(3);
    optimizer.step({ w: numbers(6, 1), b: numbers(4, 2), added: numbers(2, 3) });
  });

  test("takes slots of another rule by their names, and none of its hyperparameters", async () => {
    const state = await trained(shapes, { spec: nadam({ learningRate: 0.25 }) }).state();
    const optimizer = trained(shapes, {
      spec: adam({ learningRate: 0.5, amsgrad: true }),
      seed: 4,
    });
    const before = await optimizer.state();
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "rule rule",
      "slot slots.w.vMax",
      "slot slots.b.vMax",
    ]);
    const after = await optimizer.state();
    expect(after.slots.w).toEqual({ ...state.slots.w, vMax: before.slots.w.vMax });
    expect(after.hyperparameters).toEqual(before.hyperparameters);
  });

  test("finds groups by the parameters that they hold", async () => {
    const make = (order: readonly string[], learningRate: number): Optimizer =>
      trained(
        { w: [1], b: [1], c: [1] },
        { options: { groups: order.map((match, i) => ({ match, learningRate, every: i + 1 })) } },
      );
    const state = await make(["b", "c"], 0.5).state();
    const optimizer = make(["c", "b"], 0.25);
    expect(optimizer.restore(state)).toEqual([]);
    expect(
      optimizer.groups.map(({ parameters, every, iterations, learningRate }) => [
        parameters,
        every,
        iterations,
        learningRate,
      ]),
    ).toEqual([
      [["c"], 2, 1, 0.5],
      [["b"], 1, 3, 0.5],
    ]);
  });

  test("a group of which the state has no counterpart stays as it is", async () => {
    const state = await trained({ w: [1], b: [1] }).state();
    const optimizer = trained(
      { w: [1], b: [1] },
      { steps: 1, options: { groups: [{ match: "b", learningRate: 0.25 }] } },
    );
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits.map(({ path }) => path)).toEqual([
      "groups",
      "groups.0.parameters",
      "groups.1.parameters",
    ]);
    expect(optimizer.groups[0]).toMatchObject({ learningRate: 0.25, iterations: 1 });
    expect(optimizer.iterations).toBe(3);
  });

  test("takes accumulated gradients only if all of them fit", async () => {
    const options = { accumulate: 4 };
    const state = await trained({ w: [1], b: [2] }, { options }).state();
    const same = trained({ w: [1], b: [2] }, { options, steps: 0 });
    same.restore(state);
    expect(same.microSteps).toBe(3);
    const other = trained({ w: [1], b: [3] }, { options, steps: 1 });
    const paths = other.restore(state, { partial: true }).map(({ path }) => path);
    expect(paths).toEqual(["shapes.b", "control.accumulated.b"]);
    expect(other.microSteps).toBe(0);
    expect((await other.state()).control!.accumulated).toEqual({});
  });

  test("keeps the schedule of the code where that of the state is another one", async () => {
    const spec = (steps: number) => sgd({ learningRate: cosineDecay(1, steps) });
    const state = await trained({ w: [1] }, { spec: spec(10) }).state();
    const optimizer = trained({ w: [1] }, { spec: spec(20), steps: 0 });
    const misfits = optimizer.restore(state, { partial: true });
    expect(misfits).toMatchObject([{ kind: "schedule", path: "hyperparameters.learningRate" }]);
    expect(optimizer.learningRate).toBe(cosineDecay(1, 20).valueAt(3));
  });

  test("takes nothing of what is no state", async () => {
    for (const state of [null, "text", 5, [], { version: 2 }, {}, new Map()]) {
      const optimizer = trained(shapes);
      const before = await optimizer.state();
      const error = failureOf(() => optimizer.restore(anything(state), { partial: true }));
      expect(error.code).toBe("STATE_MISMATCH");
      expect(await optimizer.state()).toEqual(before);
    }
  });
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

/** Changes one thing in a copy of a good state. */
type Change = (state: Loose) => void;

/** Data of which nothing is known. */
type Loose = ReturnType<typeof JSON.parse>;

describe("a malformed state is a STATE_MISMATCH and changes nothing", () => {
  const options = {
    accumulate: 3,
    sparse: "lazy" as const,
    rowSteps: true,
    groups: [{ match: "b", learningRate: cosineDecay(1, 9) }],
  };
  const many = cases(1e6, 2000);
  const deep: readonly [string, Change][] = [
    ["__proto__ as a parameter", (s) => define(s["slots"], "__proto__", { m: [1] })],
    ["__proto__ as a shape", (s) => define(s["shapes"], "__proto__", [1])],
    ["__proto__ as a slot", (s) => define(s["slots"].w, "__proto__", [1])],
    ["__proto__ as a hyperparameter", (s) => define(s["hyperparameters"], "__proto__", { a: 1 })],
    [
      "__proto__ as a hyperparameter of a group",
      (s) => define(s["groups"][1].hyperparameters, "__proto__", 1),
    ],
    ["__proto__ as an option", (s) => define(s["options"], "__proto__", null)],
    [
      "__proto__ as a persistent scalar",
      (s) => define(s["groups"][0].persistentScalars, "__proto__", 1),
    ],
    [
      "__proto__ as an accumulated gradient",
      (s) => define(s["control"].accumulated, "__proto__", [1]),
    ],
    ["__proto__ as rows", (s) => define(s["control"].rows, "__proto__", [1])],
    ["__proto__ as steps of rows", (s) => define(s["rowSteps"], "__proto__", [1])],
    ["slots that are inherited", (s) => (s["slots"] = Object.create(s["slots"]))],
    ["a slot that is inherited", (s) => (s["slots"].w = Object.create(s["slots"].w))],
    ["shapes that are inherited", (s) => (s["shapes"] = Object.create(s["shapes"]))],
    ["a shape with a hole", (s) => (s["shapes"].w = Object.assign(new Array(2), [2]))],
    ["a shape of text", (s) => (s["shapes"].w = ["2", "3"])],
    ["a shape of 1e9 dimensions", (s) => (s["shapes"].w = new Array(1e9))],
    ["a shape that is a typed array", (s) => (s["shapes"].w = Uint32Array.of(2, 3))],
    ["a slot of 1e9 holes", (s) => (s["slots"].w.m = new Array(1e9))],
    ["a slot that says it is long", (s) => (s["slots"].w.m = { length: 6 })],
    ["a group with 1e9 holes", (s) => (s["groups"][0].parameters = new Array(1e9))],
    ["1e9 groups", (s) => (s["groups"] = new Array(1e9))],
    ["groups with a hole", (s) => delete s["groups"][0]],
    ["a parameter in two groups", (s) => s["groups"][1].parameters.push("w")],
    [
      "a schedule that is no schedule",
      (s) => (s["groups"][1].hyperparameters.learningRate = { schedule: 1 }),
    ],
    [
      "a schedule without options",
      (s) =>
        (s["groups"][1].hyperparameters.learningRate = { schedule: "cosine-decay", options: null }),
    ],
    [
      "a hyperparameter without a prototype",
      (s) => (s["hyperparameters"].beta1 = Object.create(null)),
    ],
    ["a hyperparameter that is an array", (s) => (s["hyperparameters"].beta1 = [0.5])],
    ["NaN as a rate", (s) => (s["hyperparameters"].learningRate = Number.NaN)],
    ["NaN steps of a group", (s) => (s["groups"][0].iterations = Number.NaN)],
    ["2⁵³ steps", (s) => (s["iterations"] = 2 ** 53)],
    ["2³² steps of a row", (s) => (s["rowSteps"].w = [2 ** 32, 0])],
    ["half a step of a row", (s) => (s["rowSteps"].w = [0.5, 0])],
    ["steps of rows in floats", (s) => (s["rowSteps"].w = new Float32Array(2))],
    ["steps of rows that are null", (s) => (s["rowSteps"] = null)],
    ["NaN calls", (s) => (s["control"].microSteps = Number.NaN)],
    ["−1 skipped steps", (s) => (s["control"].skippedSteps = -1)],
    ["a control that is null", (s) => (s["control"] = null)],
    ["a control that is an array", (s) => (s["control"] = [])],
    ["no accumulated gradients", (s) => delete s["control"].accumulated],
    ["rows of another length", (s) => (s["control"].rows = { w: [1] })],
    ["rows of another parameter", (s) => (s["control"].rows = { z: [1] })],
    ["an unknown treatment of rows", (s) => (s["control"].unselectedRows = "drop")],
    ["a loss scale of text", (s) => (s["control"].lossScale = { scale: "5", goodSteps: 0 })],
    ["a loss scale of NaN", (s) => (s["control"].lossScale = { scale: Number.NaN, goodSteps: 0 })],
    ["half a good step", (s) => (s["control"].lossScale = { scale: 1, goodSteps: 0.5 })],
    ["a frozen of 1", (s) => (s["groups"][1].frozen = 1)],
    ["every of 0", (s) => (s["groups"][1].hyperparameters.every = 0)],
    ["every of the optimizer", (s) => (s["hyperparameters"].every = 1)],
    ["a name of 1e6 characters", (s) => (s["slots"]["x".repeat(1e6)] = {})],
    [
      `${many} parameters`,
      (s) => {
        for (let i = 0; i < many; i += 1) s["shapes"][`p${i}`] = [1];
      },
    ],
  ];
  test.each(deep)("%s", async (_, change) => {
    const optimizer = trained(shapes, { options, steps: 4 });
    const before = await optimizer.state();
    const state = structuredClone(before) as Loose;
    change(state);
    const error = failureOf(() => optimizer.restore(anything(state)));
    expect(error.code).toBe("STATE_MISMATCH");
    expect(error.misfits!.length).toBeGreaterThan(0);
    expect(error.message.length).toBeLessThan(20_000);
    expect(await optimizer.state()).toEqual(before);
    // What is taken is such that the optimizer goes on.
    expect(optimizer.restore(anything(state), { partial: true })).toEqual(error.misfits);
    optimizer.step({ w: numbers(6, 1), b: numbers(3, 2) });
    expect(Object.keys(await optimizer.state())).toEqual(Object.keys(before));
    expect(({} as { a?: number }).a).toBeUndefined();
  });
});

/** JSON.parse makes such properties: an assignment would set the prototype. */
function define(table: object, name: string, value: unknown): void {
  Object.defineProperty(table, name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

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
