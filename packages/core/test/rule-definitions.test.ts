import { describe, expect, test } from "vitest";
import { decayRate, fraction, nonNegative } from "../src/rule/hyperparameter.js";
import { defineRule } from "../src/rule/define-rule.js";
import { createOptimizer, sgd } from "../src/index.js";
import { parameterOptionNames } from "../src/optimizer/parameters/parameter-options.js";
import { oracle } from "../src/reference.js";
import { commonOptions } from "../src/rule/common-statements.js";
import { sparseOptionNames } from "../src/rule/sparse-options.js";
import { stepControlNames } from "../src/rule/step-control-options.js";
import { anything, codeOf, failureOf } from "./support.js";
import { plain } from "./plain-rule.js";

/** The error code of a definition with these changes. */
function failing(changes: object): string {
  return codeOf(() => defineRule(anything<typeof plain>({ ...plain, ...changes })));
}

describe("a definition is refused", () => {
  test.each([
    ["without a name", { name: undefined }],
    ["with a name that is none", { name: null }],
    ["with a space in its name", { name: "plain rule" }],
    ["with a hyphen at the end of its name", { name: "plain-" }],
    ["with two hyphens in its name", { name: "my--rule" }],
    ["with an empty name", { name: "" }],
    ["without hyperparameters", { hyperparameters: undefined }],
    ["without a learning rate", { hyperparameters: { rate: nonNegative(1) } }],
    ["with a hyperparameter that is a number", { hyperparameters: { learningRate: 0.1 } }],
    ["with a hyperparameter that is null", { hyperparameters: { learningRate: null } }],
    ["with slots that are null", { slots: null }],
    ["with slots that make nothing", { slots: () => null }],
    ["with a list of slots", { slots: ["m"] }],
    ["with a list of persistent scalars", { persistentScalars: ["m"] }],
    ["with a key that it does not have", { slot: {} }],
    ["with options that are a list", { options: ["a"] }],
    ["with an option without values", { options: { mode: [] } }],
    ["with an option that is no list", { options: { mode: "fast" } }],
    ["with an option of numbers", { options: { mode: [1, 2] } }],
    ["with an option of texts and numbers", { options: { mode: ["a", 2] } }],
    ["with an option of all rules", { options: { maximize: [true, false] } }],
    ["with an option named as a hyperparameter", { options: { learningRate: ["a"] } }],
    ["with an option named as a common one", { options: { weightDecay: ["a"] } }],
    ["with a structural hyperparameter that is no hyperparameter", { structural: ["momentum"] }],
    ["with structural hyperparameters that are no list", { structural: "learningRate" }],
    ["with a set of structural hyperparameters", { structural: new Set(["learningRate"]) }],
    ["with a structural hyperparameter that is a symbol", { structural: [Symbol("s")] }],
    [
      "with a least value that is text",
      { hyperparameters: { learningRate: { default: 1, min: "0" } } },
    ],
    [
      "with a bound of NaN",
      { hyperparameters: { learningRate: { default: 1, below: Number.NaN } } },
    ],
    [
      "with a bound that has no such name",
      { hyperparameters: { learningRate: { default: 1, minimum: 0 } } },
    ],
    ["with a bound of null", { hyperparameters: { learningRate: { default: 1, max: null } } }],
    ["with a slot named as the parameter", { slots: { p: 0 } }],
    ["with a slot named as a hyperparameter", { slots: { learningRate: 0 } }],
    ["with a slot named as a function", { slots: { sqrt: 0 } }],
    ["with a slot whose name is none", { slots: { "1m": 0 } }],
    ["with a slot named as a persistent scalar", { slots: { m: 0 }, persistentScalars: { m: 0 } }],
    ["with a slot that starts at NaN", { slots: { m: Number.NaN } }],
    ["with a slot that starts at an unknown name", { slots: { m: "start" } }],
    ["with a slot that starts at null", { slots: { m: null } }],
    ["with a persistent scalar that starts at NaN", { persistentScalars: { c: Number.NaN } }],
    [
      "with a persistent scalar that starts at a name",
      { persistentScalars: { c: "learningRate" } },
    ],
    ["with a persistent scalar named t", { persistentScalars: { t: 1 } }],
    ["with a slot that is never used", { slots: { m: 0 } }],
    [
      "with a slot that only a comment mentions",
      { slots: { m: 0 }, perElement: "p = p - g * learningRate // m" },
    ],
    ["that never assigns to p", { slots: { m: 0 }, perElement: "m = g" }],
    // The common statements compute with these.
    ["with a slot named decay", { slots: { decay: 0 } }],
    ["with a slot named l2", { slots: { l2: 0 } }],
    ["that assigns to the decay of the weights", { perStep: "decay = 0.5" }],
    ["that assigns to the step number", { perStep: "t = 2" }],
    ["that assigns to the direction", { perStep: "direction = 0.5" }],
    ["that assigns to the gradient in perStep", { perStep: "g = 2" }],
    [
      "that assigns to a slot in perStep",
      { slots: { m: 0 }, perStep: "m = 2", perElement: "p = p - m" },
    ],
  ])("%s", (_, changes) => {
    expect(failing(changes)).toBe("INVALID_RULE");
  });

  test.each([
    "p",
    "g",
    "t",
    "decay",
    "l2",
    "min",
    "groups",
    "step",
    "dispose",
    "match",
    "a-b",
    "1",
  ])("with a hyperparameter named %s", (name) => {
    expect(failing({ hyperparameters: { ...plain.hyperparameters, [name]: nonNegative(1) } })).toBe(
      "INVALID_RULE",
    );
  });

  test("with a hyperparameter named as a property of optimizers or groups, or as one of their options", () => {
    const optimizer = createOptimizer(
      sgd(),
      { p: oracle().tensor([1]) },
      { groups: [{ match: "p" }] },
    );
    const names = [
      ...Object.getOwnPropertyNames(Object.getPrototypeOf(optimizer)),
      ...Object.getOwnPropertyNames(optimizer.groups[0]),
      ...stepControlNames,
      ...sparseOptionNames,
      ...parameterOptionNames,
      "rule",
      "match",
      ...Object.keys(commonOptions),
    ].filter((name) => name !== "constructor" && !Object.hasOwn(sgd.hyperparameters, name));
    expect(names).toContain("encodeFillCopies");
    for (const name of names) {
      const changed = { hyperparameters: { ...plain.hyperparameters, [name]: nonNegative(1) } };
      expect([name, failing(changed)]).toEqual([name, "INVALID_RULE"]);
    }
  });

  test.each([null, undefined, 5, "adam", [], () => plain])("that is %s", (definition) => {
    expect(codeOf(() => defineRule(anything<typeof plain>(definition)))).toBe("INVALID_RULE");
  });

  test.each([
    ["negative", nonNegative(-1)],
    ["NaN", nonNegative(Number.NaN)],
    ["infinite", nonNegative(Infinity)],
    ["1 where it must be below", decayRate(1)],
    ["above 1", fraction(1.5)],
    ["missing", {}],
    ["a text", { default: "1" }],
    ["negative and infinite, where any number is allowed", { default: -Infinity }],
    ["below its least value", { default: 1.5, min: 2 }],
  ])("with a default that is %s", (_, range) => {
    expect(failing({ hyperparameters: { learningRate: range } })).toBe("INVALID_HYPERPARAMETER");
  });

  test.each([
    ["perElement", "p = p - x", 1, 9],
    ["perElement", "p = p - g\n\n  p = p +", 3, 10],
    ["perElement", "p = p - g ** 2", 1, 11],
    ["perElement", "p = p - g * t", 1, 13],
    ["perElement", "learningRate = 2\np = g", 1, 1],
    ["perElement", "q = g\np = p - g", 1, 1],
    ["perStep", "rate = learningRate *", 1, 22],
    ["perStep", "rate = rate2", 1, 8],
    ["perStep", "\n\nunused = 2", 3, 1],
    ["perStep", "rate = g", 1, 8],
  ])("with a mistake in %s: %j", (key, text, line, column) => {
    const { code, message, position } = failureOf(() =>
      defineRule(anything<typeof plain>({ ...plain, [key]: text })),
    );
    expect(code).toBe("RULE_SYNTAX");
    expect(message).toContain(`(line ${line}, column ${column})`);
    expect(position).toEqual({ text, line, column });
  });

  test("with a mistake in a text for one choice only", () => {
    const perElement = ({ fast }: { fast: boolean }): string => (fast ? "p = p - x" : "p = p - g");
    expect(failing({ options: { fast: [false, true] }, perElement })).toBe("RULE_SYNTAX");
  });

  test("without a text, or with a value that is no text", () => {
    expect(failing({ perElement: undefined })).toBe("INVALID_RULE");
    expect(failing({ perElement: 5 })).toBe("INVALID_RULE");
    expect(failing({ perElement: () => null })).toBe("INVALID_RULE");
    expect(failing({ perStep: null })).toBe("INVALID_RULE");
  });

  test("with an evaluation of what a step changes", () => {
    const perElement = "z = z + p * c\n p = p - g * learningRate";
    const averaging = { slots: { z: "p" }, persistentScalars: { k: 1 }, perElement };
    const evaluated = { ...averaging, evaluation: "p = z * c" };
    expect(failing({ ...evaluated, perStep: "k = k * 2\n c = k" })).toBe("INVALID_RULE");
    expect(failing({ ...evaluated, perStep: "c = k + 1\n k = k * 2" })).toBe("INVALID_RULE");
    const other = { ...plain, ...evaluated, perStep: "k = k * 2\n c = learningRate" };
    expect(defineRule(anything<typeof plain>(other))().rule.name).toBe(plain.name);
  });

  test("a name may have several words, and a bound may be undefined", () => {
    const range = { default: -2, min: undefined, max: undefined, below: undefined };
    const definition = { ...plain, name: "my-rule-2", hyperparameters: { learningRate: range } };
    const spec = defineRule(anything<typeof plain>(definition))();
    expect(spec.rule.name).toBe("my-rule-2");
    expect(spec.hyperparameters.learningRate).toBe(-2);
  });

  test("slots, persistent scalars and scalars are optional", () => {
    const { name, hyperparameters, perElement } = plain;
    const { rule } = defineRule({ name, hyperparameters, perElement });
    expect(rule.variant().slots).toEqual([]);
    expect(rule.variant().scalars).toEqual(["decay", "learningRate"]);
    expect(rule.variant().perElement.fingerprint).toBe(
      defineRule(plain).rule.variant().perElement.fingerprint,
    );
  });
});

describe("what a text cannot say is an error of its syntax", () => {
  test.each([
    ["a reduction of scalars, in perStep", { perStep: "c = meanAll(learningRate)" }],
    ["a reduction of what is one value", { perElement: "p = p - g * meanAll(learningRate)" }],
    ["a comparison that is reduced", { perElement: "p = p - g * meanAll(g < 1)" }],
    ["a comparison that is assigned", { perElement: "p = g < 1" }],
    [
      "a coefficient that is computed from elements",
      { perElement: "p = p - newtonSchulz(g, meanAll(g), 1, 1)" },
    ],
    [
      "coefficients that are computed from scalars",
      { perElement: "p = p - newtonSchulz(g, 1, learningRate + 1, 1)" },
    ],
    ["a matrix that is one value", { perElement: "p = p - newtonSchulz(meanAll(g), 1, 1, 1)" }],
  ])("%s", (_, changes) => {
    const compiled = (): unknown =>
      defineRule(anything<typeof plain>({ ...plain, ...changes })).rule.variant();
    expect(codeOf(compiled)).toBe("RULE_SYNTAX");
  });
});
