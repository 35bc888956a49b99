import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import {
  fromOptax,
  initialState,
  kerasSlot,
  toOptax,
  toTfjs,
  toTorch,
  withKerasStages,
} from "../src/interop/index.js";
import {
  adam,
  buildVariant,
  bytecodeOf,
  chain,
  createOptimizer,
  defineRule,
  defineStage,
  emit,
  flushedSlotsOf,
  isGuarding,
  knownScalarsOf,
  nonNegative,
  Packing,
  parseRuleText,
  specialize,
  variantOf,
  withOutputs,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { codeOf } from "./support.js";

/** Values of all kinds, none of which is what the functions below take. */
const values: readonly unknown[] = [
  null,
  1,
  NaN,
  true,
  2n,
  Symbol("s"),
  () => {},
  [],
  [1],
  {},
  Object.create(null),
  Object.freeze({}),
  { name: 3 },
  new Map(),
  new Date(0),
  new ArrayBuffer(8),
  Promise.resolve({}),
  new Float32Array(2),
];

const stage = { name: "scaled", perElement: "u = 2 * u" };
const rule = {
  name: "plain",
  hyperparameters: { learningRate: nonNegative(0.1) },
  perElement: "u = learningRate * g",
};
const backend = reference();
const config = createOptimizer(adam(), { w: backend.tensor([2]) }).config();

const isFunction = (value: unknown): boolean => typeof value === "function";
const noFunctions = values.filter((value) => !isFunction(value));
/** Objects without entries stand for an empty table. */
const isTable = (value: unknown): boolean =>
  String(Object.prototype.toString.call(value)) === "[object Object]";

describe("what is none of the values that a function takes is named in an error with a code", () => {
  test.each<[string, string, readonly unknown[], (value: never) => unknown]>([
    ["compile", "INVALID_RULE", [undefined, ...values], (value) => backend.compile(value)],
    [
      "compile, for variants that lack a part",
      "INVALID_RULE",
      ["perElement", "passPlan", "slots", "scalars"].map((part) => ({
        ...variantOf(adam()),
        [part]: undefined,
      })),
      (value) => backend.compile(value),
    ],
    ["Packing", "INVALID_PARAMETER", [undefined, ...values], (value) => new Packing(value)],
    ["variantOf", "INVALID_RULE", [undefined, ...values], (value) => variantOf(value)],
    ["parseRuleText", "INVALID_RULE", [undefined, ...values], (value) => parseRuleText(value)],
    ["bytecodeOf", "INVALID_RULE", [undefined, ...values], (value) => bytecodeOf(value)],
    [
      "the program of emit",
      "INVALID_RULE",
      [undefined, ...values],
      (value) => emit(value, {} as never),
    ],
    [
      "the emitter of emit",
      "UNSUPPORTED",
      [undefined, ...values],
      (value) => emit(variantOf(adam()).perElement, value),
    ],
    ["knownScalarsOf", "INVALID_RULE", [undefined, ...values], (value) => knownScalarsOf(value)],
    ["flushedSlotsOf", "INVALID_RULE", [undefined, ...values], (value) => flushedSlotsOf(value)],
    ["specialize", "INVALID_RULE", [undefined, ...values], (value) => specialize(value, new Map())],
    ["withOutputs", "INVALID_RULE", [undefined, ...values], (value) => withOutputs(value, [])],
    [
      "the texts of buildVariant",
      "INVALID_RULE",
      [undefined, ...values],
      (value) => buildVariant(value),
    ],
    [
      "the rule of withKerasStages",
      "INVALID_RULE",
      [undefined, ...values],
      (value) => withKerasStages(value, {}),
    ],
    [
      "the arguments of withKerasStages",
      "UNKNOWN_OPTION",
      [undefined, ...values.filter((value) => !isTable(value))],
      (value) => withKerasStages(adam(), value),
    ],
    [
      "the parameters of createOptimizer",
      "INVALID_PARAMETER",
      [undefined, ...values.filter((value) => !isTable(value))],
      (value) => createOptimizer(adam(), value),
    ],
    [
      "the options of createOptimizer",
      "UNKNOWN_OPTION",
      values.filter((value) => !isTable(value)),
      (value) => createOptimizer(adam(), {}, value),
    ],
    [
      "the settings of a rule",
      "UNKNOWN_OPTION",
      values.filter((value) => !isTable(value)),
      (value) => adam(value),
    ],
    [
      "sparse",
      "INVALID_HYPERPARAMETER",
      values,
      (sparse) => createOptimizer(adam(), {}, { sparse }),
    ],
    [
      "rowSteps",
      "INVALID_HYPERPARAMETER",
      values.filter((value) => typeof value !== "boolean"),
      (rowSteps) => createOptimizer(adam(), {}, { rowSteps }),
    ],
    [
      "the shape of wrapped memory",
      "INVALID_SHAPE",
      values.filter((value) => !Array.isArray(value)),
      (shape) => backend.wrap(new Float32Array(2), { shape }),
    ],
    [
      "the distance of wrapped rows",
      "INVALID_MEMORY",
      values,
      (rowStride) => backend.wrap(new Float32Array(4), { shape: [2, 2], rowStride }),
    ],
    ["fromOptax", "UNSUPPORTED", [undefined, ...values], (value) => fromOptax(value)],
    ["the name of toOptax", "UNSUPPORTED", values, (value) => toOptax(config, { name: value })],
    [
      "the evaluation of a stage",
      "INVALID_RULE",
      noFunctions,
      (value) => defineStage({ ...stage, evaluation: value }),
    ],
    [
      "the evaluation that a rule chooses",
      "INVALID_RULE",
      values,
      (value) => defineRule({ ...rule, evaluation: () => value }),
    ],
    [
      "the metrics of a stage",
      "INVALID_RULE",
      values.filter((value) => !isTable(value)),
      (value) => defineStage({ ...stage, metrics: value }),
    ],
    [
      "the slots of a stage",
      "INVALID_RULE",
      noFunctions.filter((value) => !isTable(value)),
      (value) => defineStage({ ...stage, slots: value }),
    ],
    [
      "the text of a rule",
      "INVALID_RULE",
      noFunctions,
      (value) => defineRule({ ...rule, perElement: value }),
    ],
    [
      "a structural hyperparameter",
      "INVALID_RULE",
      values,
      (value) => defineRule({ ...rule, structural: [value] }),
    ],
    [
      "the groups of a spec in a chain",
      "INVALID_CHAIN",
      [undefined, ...values.filter((value) => !Array.isArray(value))],
      (value) => chain({ ...adam(), groups: value }),
    ],
    [
      "the choices of a variant",
      "UNKNOWN_OPTION",
      [null, 1, Symbol("s"), [], new Map()],
      (value) => adam.variant(value),
    ],
    [
      "the choices of the texts",
      "UNKNOWN_OPTION",
      [null, 1, Symbol("s"), [], { unknown: 1 }],
      (value) => adam.texts(value),
    ],
    [
      "the rules of one's own",
      "INVALID_RULE",
      values.filter((value) => !Array.isArray(value) || value.length > 0),
      (value) => optimizerByName("adam", {}, value),
    ],
    [
      "one of these rules",
      "INVALID_RULE",
      [undefined, ...values],
      (value) => optimizerByName("adam", {}, [value]),
    ],
  ])("%s", (_, code, wrong, call) => {
    for (const value of wrong)
      expect([value, codeOf(() => call(value as never))]).toEqual([value, code]);
  });

  test.each([
    ["toTfjs", toTfjs],
    ["toTorch", toTorch],
    ["toOptax", toOptax],
  ])("%s", (_, call) => {
    for (const value of [undefined, ...values])
      expect(["UNKNOWN_OPTION", "UNKNOWN_RULE"]).toContain(codeOf(() => call(value as never)));
    for (const settings of [1, Symbol("s"), [1]])
      expect(codeOf(() => call({ ...config, settings } as never))).toBe("UNKNOWN_OPTION");
    for (const groups of [null, 1, Symbol("s"), {}, [null], [1]])
      expect(codeOf(() => call({ ...config, groups } as never))).toBe("UNKNOWN_OPTION");
  });
});

test("initialState without shapes by name", async () => {
  for (const shapes of [undefined, ...values.filter((value) => !isTable(value))])
    await expect(initialState(adam(), shapes as never)).rejects.toMatchObject({
      code: "INVALID_PARAMETER",
    });
});

test("what has no answer has none for values of all kinds", () => {
  for (const value of [undefined, ...values]) {
    expect(kerasSlot(value as never, "momentum")).toBe(undefined);
    expect(kerasSlot("sgd", value as never)).toBe(undefined);
    expect(isGuarding(value as never)).toBe(false);
  }
});

test("what a configuration leaves out has its default", () => {
  expect(toTfjs({ name: "sgd" } as never)).toEqual({
    name: "sgd",
    options: { learningRate: 0.01 },
  });
});
