import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import * as lean from "../src/lean.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { rules } from "../src/rules/index.js";
import { sgd } from "../src/rules/sgd.js";
import type { Variant } from "../src/rule/variant.js";
import { codeOf, failureOf } from "./support.js";

/** A variant without the texts that it was made from. */
function withoutTexts({ perStep, perElement, ...rest }: Variant): unknown {
  return {
    ...rest,
    perStep: { ...perStep, source: "" },
    perElement: { ...perElement, source: "" },
  };
}

const subjects = Object.entries(lean).map(([name, { rule: compiled }]) => ({
  name,
  compiled,
  rule: rules.find((one) => one.name === name)!,
}));

test("every built-in rule was compiled", () => {
  expect(subjects.map(({ name }) => name).sort()).toEqual(rules.map(({ name }) => name).sort());
});

describe.each(subjects)("$name", ({ name, rule, compiled }) => {
  test("has its rule's settings", () => {
    expect(compiled.name).toBe(name);
    expect(compiled.hyperparameters).toEqual(rule.hyperparameters);
    expect(compiled.options).toEqual(rule.options);
    expect(compiled.switches).toEqual(rule.switches);
    expect(compiled.specify({ learningRate: 0.5 })).toEqual({
      ...rule.specify({ learningRate: 0.5 }),
      rule: compiled,
    });
  });

  test("has the graphs that parsing its rule gives", () => {
    expect(withoutTexts(compiled.variant())).toEqual(withoutTexts(rule.variant()));
    for (const variant of compiled.variants()) {
      const same = rule
        .variants()
        .find(({ perElement }) => perElement.fingerprint === variant.perElement.fingerprint);
      expect(variant.perElement.nodes).toEqual(same?.perElement.nodes);
    }
  });
});

test.each([
  [lean.adam.rule, adam.rule, { epsilonMode: "paper" }],
  [lean.sgd.rule, sgd.rule, { momentum: true }],
])("%o has what needs no other kernel, and switches with state", (compiled, rule, choices) => {
  expect(withoutTexts(compiled.variant(choices))).toEqual(withoutTexts(rule.variant(choices)));
});

test("what was left out is refused, with the way to it", () => {
  expect(codeOf(() => lean.adam.rule.variant({ amsgrad: true }))).toBe("UNSUPPORTED");
  const w = reference().tensor([1]);
  const { code, message } = failureOf(() =>
    createOptimizer(lean.adam({ nesterov: true, maximize: true }), { w }),
  );
  expect(code).toBe("UNSUPPORTED");
  expect(message).toContain("without maximize and nesterov; import adam from @gradstep/core");
  expect(codeOf(() => lean.adam({ rate: 1 } as never))).toBe("UNKNOWN_OPTION");
});

test("a state goes from one form of a rule to the other", async () => {
  const make = (spec: ReturnType<typeof adam>) =>
    createOptimizer(spec, { w: reference().tensor([2], [1, 2]) });
  const optimizer = make(adam({ learningRate: 0.5 }));
  optimizer.step({ w: Float32Array.of(1, -1) });
  const other = make(lean.adam());
  other.restore(await optimizer.state());
  expect(await other.state()).toEqual(await optimizer.state());
});
