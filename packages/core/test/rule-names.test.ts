import { describe, expect, test } from "vitest";
import { ruleNames } from "../../../testing/rule-names.js";
import { optimizerByName } from "../src/by-name.js";
import {
  chain,
  createOptimizer,
  defineRule,
  defineStage,
  nonNegative,
  type Rule,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { codeOf, failureOf } from "./support.js";

const definition = {
  hyperparameters: { learningRate: nonNegative(0.5) },
  slots: { m: 0 },
  perElement: "m = m + g\np = p - m * learningRate",
};

/** Parameters after two steps of gradient 1. */
async function twoSteps(spec: ReturnType<Rule["specify"]>): Promise<number[]> {
  const w = reference().tensor([1]);
  const optimizer = createOptimizer(spec, { w });
  optimizer.step({ w: Float32Array.of(1) });
  const saved = JSON.parse(JSON.stringify(optimizer.config())) as ReturnType<
    typeof optimizer.config
  >;
  const state = await optimizer.state();
  const again = createOptimizer(optimizerByName(saved, {}, [spec.rule]), { w });
  again.restore(state);
  again.step({ w: Float32Array.of(1) });
  expect(String(await again.explain("w", 0, Float32Array.of(1)))).toContain(spec.rule.name);
  return [...(await w.read())];
}

describe("a rule's name", () => {
  test.each(ruleNames)("%s: configurations and states", async (name) => {
    const own = defineRule({ name, ...definition });
    expect(await twoSteps(own())).toEqual([-1.5]);
    const renamedStage = defineStage({ name, perElement: "twice = g + g\ng = twice" });
    expect(await twoSteps(chain(renamedStage(), own()))).toEqual([-3]);
  });

  test.each([
    "",
    "1st",
    "My-Rule",
    "my--rule",
    "rule-",
    "-rule",
    "two words",
    "a+b",
    "a/b",
    "naïve",
    "$",
  ])("%j is refused", (name) => {
    const { code, message } = failureOf(() => defineRule({ name, ...definition }));
    expect(code).toBe("INVALID_RULE");
    expect(message).toContain(
      'expected an identifier, such as "plainAdam", or lower-case words joined by "-"',
    );
    expect(codeOf(() => defineStage({ name, perElement: "g = g * 2" }))).toBe("INVALID_RULE");
  });
});

describe("names of stages that look alike", () => {
  const scaled = (name: string, scalar: string, factor: number) =>
    defineStage({ name, perStep: `${scalar} = ${factor}`, perElement: `g = g * ${scalar}` });
  const rule = (scalar: string) =>
    defineRule({
      name: "scaled",
      hyperparameters: { learningRate: nonNegative(1) },
      perStep: `${scalar} = learningRate * 5`,
      perElement: `p = p - g * ${scalar}`,
    });

  test.each([
    ["two stages of one name", scaled("clip", "x", 2), scaled("clip", "x", 3), rule("rate")],
    ["a hyphen and an underscore", scaled("a-b", "x", 2), scaled("a_b", "x", 3), rule("rate")],
    ["a name that begins another", scaled("a", "b_x", 2), scaled("a-b", "x", 3), rule("rate")],
    ["a scalar of the rule", scaled("a", "x", 2), scaled("b", "x", 3), rule("a_x")],
    ["a name with a number", scaled("a", "b_x", 2), scaled("a-b", "x", 3), rule("a_b_x_2")],
  ])("%s: each has its own scalars", async (_, one, other, own) => {
    const w = reference().tensor([1]);
    createOptimizer(chain(one(), other(), own()), { w }).step({ w: Float32Array.of(1) });
    expect([...(await w.read())]).toEqual([-30]);
  });
});
