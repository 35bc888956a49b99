import { decayRate, defineRule, nonNegative } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { sampled } from "../../../testing/cases.js";
import { ruleNames } from "../../../testing/rule-names.js";
import { createCpuJs } from "../src/cpu-js.js";
import { generate } from "../src/generate.js";
import { compiled } from "./compile.js";
import { afterSteps, numbers } from "./support.js";

const words =
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends " +
  "false finally for fround function if implements import in instanceof interface let new null package private " +
  "protected public return static super switch this throw true try typeof undefined var void while with yield " +
  "async of get set as from Infinity NaN Math Object Float32Array globalThis module exports require " +
  "constructor toString valueOf hasOwnProperty __proto__ prototype " +
  "i n t1 t2 slots scalars p1 g1 x X _ __ _1 slots_ scalars_ count index update kernels";

describe("a name of any kind", () => {
  test.each(sampled(words.split(" "), 12))("%s", async (word) => {
    // As a slot, as a scalar and as a temporary: three rules, since a name means one thing in each.
    const hyperparameters = { learningRate: nonNegative(0.1) };
    // Options of optimizers have names that no hyperparameter can have.
    const hyperparameter = ["update", "slots"].includes(word) ? `${word}_` : word;
    const rules = [
      defineRule({
        name: "slot",
        hyperparameters,
        slots: Object.fromEntries([[word, 0.5]]),
        perStep: "",
        perElement: `${word} = ${word} + g * g\np = p - g / (${word} + ${word} * g)`,
      }),
      defineRule({
        name: "scalar",
        hyperparameters,
        slots: { m: 0 },
        perStep: `${word} = 1 - learningRate`,
        perElement: `m = m + (g - m) * ${word}\np = p - m * sqrt(${word}) * 1e39`,
      }),
      defineRule({
        name: "temporary",
        hyperparameters,
        slots: { m: 0 },
        perStep: "",
        perElement: `${word} = g * g + m\nm = ${word} / 2\np = p - ${word} * ${word}`,
      }),
      defineRule({
        name: "hyperparameter",
        hyperparameters: Object.fromEntries([
          ["learningRate", nonNegative(0.1)],
          [hyperparameter, decayRate(0.5)],
        ]) as { learningRate: ReturnType<typeof nonNegative> },
        slots: {},
        perStep: "",
        perElement: `p = p - g * ${hyperparameter} * learningRate`,
      }),
    ];
    for (const { rule } of rules) {
      const backend = createCpuJs({ exact: true, kernels: [await compiled(rule, true)] });
      expect(backend.compile(rule.variant()).source).toContain("function update");
      const gradients = [numbers(5, 2), numbers(5, 3)];
      const wanted = await afterSteps(reference(), rule.specify({}), numbers(5, 1), gradients);
      const interpreter = createCpuJs({ exact: true });
      for (const one of [backend, interpreter])
        expect(await afterSteps(one, rule.specify({}), numbers(5, 1), gradients)).toEqual(wanted);
    }
  });
});

test.each([
  ["schedule-free", "scheduleFreeKernels"],
  ["a-1-b", "a1BKernels"],
  ["delete", "deleteKernels"],
  ["max", "maxKernels"],
  ["fround", "froundKernels"],
])("the rule %s is exported as %s", async (name, exported) => {
  const { rule } = defineRule({
    name,
    hyperparameters: { learningRate: nonNegative(0.1) },
    slots: {},
    perStep: "",
    perElement: "p = p - max(g, -1) * learningRate",
  });
  expect(generate(rule, { exact: true })).toContain(`export const ${exported} = {`);
  expect(await compiled(rule, true)).toMatchObject({ exact: true });
});

test.each(sampled(ruleNames, 12))("a rule named %s is compiled and interpreted", async (name) => {
  const { rule } = defineRule({
    name,
    hyperparameters: { learningRate: nonNegative(0.1) },
    slots: { m: 0 },
    perElement: "m = m + g * g\np = p - g / (sqrt(m) + learningRate)",
  });
  const gradients = [numbers(5, 2), numbers(5, 3)];
  const wanted = await afterSteps(reference(), rule.specify({}), numbers(5, 1), gradients);
  const table = await compiled(rule, true);
  for (const backend of [
    createCpuJs({ exact: true }),
    createCpuJs({ exact: true, kernels: [table] }),
  ])
    expect(await afterSteps(backend, rule.specify({}), numbers(5, 1), gradients)).toEqual(wanted);
});

test("equal programs over slots in another order do not share a kernel", async () => {
  const make = (slots: Record<string, number>): ReturnType<typeof defineRule>["rule"] =>
    defineRule({
      name: "ordered",
      hyperparameters: { learningRate: nonNegative(0.1) },
      slots,
      perStep: "",
      perElement: "m = m + g\nv = v + g * g\np = p - m / (v + 1)",
    }).rule;
  const [one, other] = [make({ m: 0, v: 0 }), make({ v: 0, m: 0 })];
  const backend = createCpuJs({ exact: true, kernels: [await compiled(one, true)] });
  const gradients = [numbers(4, 2), numbers(4, 3)];
  expect(await afterSteps(backend, other.specify({}), numbers(4, 1), gradients)).toEqual(
    await afterSteps(reference(), other.specify({}), numbers(4, 1), gradients),
  );
});
