import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { didYouMean } from "../src/argument-checks/did-you-mean.js";
import {
  adam,
  adamw,
  createOptimizer,
  defineRule,
  earlyStopping,
  nonNegative,
} from "../src/index.js";
import { fromKeras, fromOptax, fromTorch } from "../src/interop/index.js";
import { reference } from "../src/reference.js";
import { anything, failureOf } from "./support.js";

describe("didYouMean", () => {
  const names = ["learningRate", "beta1", "beta2", "weightDecay", "epsilon", "sumRow", "sumAll"];

  test.each([
    ["lr", ' Did you mean "learningRate"?'],
    ["learning_rate", ' Did you mean "learningRate"?'],
    ["learnigRate", ' Did you mean "learningRate"?'],
    ["learningRtae", ' Did you mean "learningRate"?'],
    ["LearningRates", ' Did you mean "learningRate"?'],
    ["eps", ' Did you mean "epsilon"?'],
    ["b2", ' Did you mean "beta2"?'],
    ["betas", ' Did you mean "beta1"?'],
    ["decay", ' Did you mean "weightDecay"?'],
    ["sumRows", ' Did you mean "sumRow"?'],
    ["sum", ' Did you mean "sumRow" or "sumAll"?'],
    ["beta3", ' Did you mean "beta1" or "beta2"?'],
    ["foo", ""],
    ["constructor", ""],
    ["x", ""],
    ["", ""],
  ])("%j: %j", (name, expected) => {
    expect(didYouMean(name, names)).toBe(expected);
  });

  test("takes a symbol for its description, and nothing else for a name", () => {
    expect(didYouMean(Symbol("learning_rate"), names)).toBe(' Did you mean "learningRate"?');
    expect(didYouMean(1, names)).toBe("");
    expect(didYouMean(null, ["null"])).toBe("");
  });

  test("is empty where the names cannot be read", () => {
    expect(didYouMean("lr", anything([{}]))).toBe("");
    expect(didYouMean("lr", anything(undefined))).toBe("");
  });
});

test.each([
  [() => adam(anything({ lr: 1 })), '"learningRate"'],
  [() => optimizerByName("adam", { weightdecay: 1 }), '"weightDecay"'],
  [() => optimizerByName("adamx"), '"adam", "adamax" or "adamw"'],
  [() => fromKeras({ class_name: "Adam", config: { lr: 1 } }), '"learning_rate"'],
  [() => fromKeras({ class_name: "adam", config: {} }), '"Adam"'],
  [
    () =>
      fromKeras({ class_name: "Adam", config: {} }, anything({ kernel_constraint: { axis: 0 } })),
    '"constraint"',
  ],
  [() => fromTorch("AdamW", { learning_rate: 1 }), '"lr"'],
  [() => fromOptax("adam", { lr: 1 }), '"learning_rate"'],
  [() => earlyStopping(anything({ min_delta: 1 })), '"minDelta"'],
])("%s names what may be meant", (action, expected) => {
  expect(failureOf(action).message).toContain(`Did you mean ${expected}?`);
});

test("a group, and a property that is set", () => {
  const w = reference().tensor([1]);
  const groups = anything<[]>([{ match: "w", lr: 1 }]);
  expect(failureOf(() => createOptimizer(adamw(), { w }, { groups })).message).toContain(
    'Did you mean "learningRate"?',
  );
  const optimizer = createOptimizer(adamw(), { w });
  const set = (): void => {
    anything<{ lr: number }>(optimizer).lr = 1;
  };
  expect(failureOf(set).message).toContain('Did you mean "learningRate"?');
});

test.each([
  ["u = sumRows(g) * learningRate", 'Did you mean "sumRow"?'],
  ["u = sum(g) * learningRate", 'Did you mean "sumRow", "sumColumn", "sumTensor" or "sumAll"?'],
  ["u = g * learningrate", 'Did you mean "learningRate"?'],
])("a text: %s", (perElement, expected) => {
  const define = () =>
    defineRule({
      name: "typo",
      hyperparameters: { learningRate: nonNegative(1) },
      perElement,
    });
  expect(failureOf(define).message).toContain(expected);
});

test("a constraint of a layer belongs to the second argument", () => {
  const config = { kernel_constraint: { class_name: "NonNeg", config: {} } };
  expect(failureOf(() => fromKeras({ class_name: "Adam", config })).message).toContain(
    "fromKeras(optimizer, { constraint })",
  );
});
