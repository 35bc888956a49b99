import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { revoked } from "../../../testing/wrong-values.js";
import { cosineDecay } from "../src/schedules/factories.js";
import { anything, failureOf, numbers } from "./support.js";
import { shapes, trained } from "./misfits.js";

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
    ["shapes that cannot be read", (s) => (s["shapes"] = revoked({}))],
    ["slots that cannot be read", (s) => (s["slots"] = revoked({}))],
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
