import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import type { OptimizerState } from "../src/optimizer/state/optimizer-state.js";
import type { GroupOptions, OptimizerSpec } from "../src/rule/rule.js";
import { nadam } from "../src/rules/nadam.js";
import { comparable, start } from "./state-runs.js";
import { anything, bits, codeOf } from "./support.js";

describe("a state of another optimizer is refused, and nothing changes", () => {
  const groups = [{ match: "bias", learningRate: 0.05 }];
  const spec = (): OptimizerSpec => nadam({ learningRate: 0.1 });

  /** The code with which a state is refused, if that has changed nothing. */
  async function refusal(state: unknown): Promise<string> {
    const { optimizer, arrays, steps } = start(spec(), groups);
    steps(0, 3);
    const before = comparable(await optimizer.state());
    const values = bits(arrays.kernel);
    const code = codeOf(() => optimizer.restore(anything(state)));
    expect(comparable(await optimizer.state())).toEqual(before);
    expect(bits(arrays.kernel)).toEqual(values);
    return code;
  }

  async function good(): Promise<OptimizerState> {
    const { optimizer, steps } = start(spec(), groups);
    steps(0, 5);
    return optimizer.state();
  }

  test.each<[string, OptimizerSpec, readonly GroupOptions[]]>([
    ["of another rule", optimizerByName("adam"), groups],
    ["with other options", nadam({ productIn: "f32" }), groups],
    ["maximizing", nadam({ maximize: true }), groups],
    ["without the group", nadam(), []],
    ["with one more group", nadam(), [...groups, { match: "kernel" }]],
    ["with the group on the other parameter", nadam(), [{ match: "kernel" }]],
  ])("%s", async (_, otherSpec, otherGroups) => {
    const { optimizer, steps } = start(otherSpec, otherGroups);
    steps(0, 2);
    expect(await refusal(await optimizer.state())).toBe("STATE_MISMATCH");
  });

  test("with momentum or without", async () => {
    const [on, off] = [{ momentum: 0.5 }, {}].map((settings) =>
      start(optimizerByName("sgd", settings)),
    );
    const states = await Promise.all([on.optimizer.state(), off.optimizer.state()]);
    expect(codeOf(() => off.optimizer.restore(states[0]))).toBe("STATE_MISMATCH");
    expect(codeOf(() => on.optimizer.restore(states[1]))).toBe("STATE_MISMATCH");
  });

  const group = { parameters: ["kernel"], hyperparameters: {}, persistentScalars: { product: 1 } };
  const other = { ...group, parameters: ["bias"] };
  test.each<[string, object]>([
    ["another version", { version: 2 }],
    ["a version as text", { version: "1" }],
    ["no rule", { rule: undefined }],
    ["no options", { options: undefined }],
    ["options that are null", { options: null }],
    ["one option more", { options: { ...nadam().options, amsgrad: true } }],
    ["no iterations", { iterations: undefined }],
    ["negative iterations", { iterations: -1 }],
    ["half an iteration", { iterations: 1.5 }],
    ["NaN iterations", { iterations: Number.NaN }],
    ["infinite iterations", { iterations: Infinity }],
    ["iterations as text", { iterations: "5" }],
    ["no hyperparameters", { hyperparameters: undefined }],
    ["hyperparameters that are null", { hyperparameters: null }],
    ["hyperparameters that are a list", { hyperparameters: [0.1] }],
    ["no groups", { groups: undefined }],
    ["groups that are null", { groups: null }],
    ["groups that are text", { groups: "ab" }],
    ["something like groups", { groups: { length: 2 } }],
    ["groups that are null each", { groups: [null, null] }],
    ["groups that are holes", { groups: new Array(2) }],
    ["too many groups", { groups: new Array(1e6).fill(group) }],
    ["groups without parameters", { groups: [group, { ...other, parameters: undefined }] }],
    ["groups with a number of parameters", { groups: [group, { ...other, parameters: 1 }] }],
    ["groups with a name of parameters", { groups: [group, { ...other, parameters: "bias" }] }],
    [
      "groups with a parameter twice",
      { groups: [group, { ...other, parameters: ["bias", "bias"] }] },
    ],
    [
      "groups with endless parameters",
      { groups: [group, { ...other, parameters: new Array(1e9) }] },
    ],
    ["groups with null parameters", { groups: [group, { ...other, parameters: [null] }] }],
    [
      "groups without persistent scalars",
      { groups: [group, { ...other, persistentScalars: undefined }] },
    ],
    [
      "groups with null persistent scalars",
      { groups: [group, { ...other, persistentScalars: null }] },
    ],
    ["groups with no persistent scalar", { groups: [group, { ...other, persistentScalars: {} }] }],
    [
      "groups with other persistent scalars",
      { groups: [group, { ...other, persistentScalars: { product: 1, c: 1 } }] },
    ],
    [
      "a persistent scalar of NaN",
      { groups: [group, { ...other, persistentScalars: { product: Number.NaN } }] },
    ],
    [
      "a persistent scalar that is null",
      { groups: [group, { ...other, persistentScalars: { product: null } }] },
    ],
    [
      "a persistent scalar that is text",
      { groups: [group, { ...other, persistentScalars: { product: "1" } }] },
    ],
    [
      "groups without hyperparameters",
      { groups: [group, { ...other, hyperparameters: undefined }] },
    ],
    ["groups with null hyperparameters", { groups: [group, { ...other, hyperparameters: null }] }],
    ["no slots", { slots: undefined }],
    ["slots that are null", { slots: null }],
    ["slots that are text", { slots: "kernel" }],
    ["empty slots", { slots: {} }],
    ["slots of null", { slots: { kernel: null, bias: null } }],
  ])("with %s", async (_, changes) => {
    expect(await refusal({ ...(await good()), ...changes })).toBe("STATE_MISMATCH");
  });

  test.each<[string, object]>([
    ["a missing hyperparameter", { hyperparameters: {} }],
    [
      "a hyperparameter out of range",
      { hyperparameters: { ...spec().hyperparameters, beta1: 1.5 } },
    ],
    [
      "an unknown hyperparameter",
      { hyperparameters: { ...spec().hyperparameters, momentum: 0.5 } },
    ],
    [
      "a hyperparameter out of range in a group",
      { groups: [group, { ...other, hyperparameters: { learningRate: -1 } }] },
    ],
    [
      "an unknown hyperparameter in a group",
      { groups: [group, { ...other, hyperparameters: { lr: 1 } }] },
    ],
  ])("with %s", async (_, changes) => {
    expect(await refusal({ ...(await good()), ...changes })).toBe("STATE_MISMATCH");
  });

  test.each<[string, (slots: Record<string, Record<string, unknown>>) => void]>([
    ["a slot less", ({ bias }) => delete bias.m],
    ["a slot more", ({ bias }) => (bias.vMax = new Float32Array(3))],
    ["a shorter slot", ({ bias }) => (bias.v = new Float32Array(2))],
    ["a huge slot", ({ bias }) => (bias.v = new Float32Array(1e7))],
    ["a slot of integers", ({ bias }) => (bias.v = new Int32Array(3))],
    ["a slot of big integers", ({ bias }) => (bias.v = new BigInt64Array(3))],
    ["a slot that is a shorter list", ({ bias }) => (bias.v = [0, 0])],
    ["a slot that is a list of text", ({ bias }) => (bias.v = [0, "0", 0])],
    [
      "a slot that is a list with a hole",
      ({ bias }) => (bias.v = Object.assign(new Array(3), [0])),
    ],
    ["a slot that is an object of other keys", ({ bias }) => (bias.v = { a: 0, b: 0, c: 0 })],
    ["a slot that is null", ({ bias }) => (bias.v = null)],
    ["a slot that is a DataView", ({ bias }) => (bias.v = new DataView(new ArrayBuffer(12)))],
    ["a parameter less", (slots) => delete slots.bias],
    ["a parameter more", (slots) => (slots.late = { m: new Float32Array(1) })],
    ["a parameter of another name", (slots) => (slots.Bias = slots.bias) && delete slots.bias],
  ])("with %s", async (_, change) => {
    const state = await good();
    change(anything(state.slots));
    expect(await refusal(state)).toBe("STATE_MISMATCH");
  });

  test.each([null, undefined, 5, "state", [], {}, () => ({}), new Map()])(
    "case %# in place of a state",
    async (state) => {
      expect(await refusal(state)).toBe("STATE_MISMATCH");
    },
  );

  test("a promise of a state, without await", async () => {
    expect(await refusal(good())).toBe("STATE_MISMATCH");
    const { optimizer } = start(spec(), groups);
    expect(() => optimizer.restore(anything(good()))).toThrow("await optimizer.state()");
  });
});
