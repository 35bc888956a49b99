import { defineRule, type Program } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { Bounds, errorOverBound } from "../src/bounds/bounds.js";
import { roundToNearest, unitRoundoff, wgsl, type ErrorModel } from "../src/bounds/error-model.js";
import { Random } from "../src/suite/random/random.js";
import { adversary } from "./adversary.js";

const u = unitRoundoff;

/** The interval of p for a rule that is one expression over p and g. */
function boundOf(expression: string, p: number, g: number, model: ErrorModel = roundToNearest) {
  const { rule } = defineRule({
    name: "one",
    hyperparameters: { learningRate: { default: 0 } },
    slots: {},
    perStep: "",
    perElement: `p = (${expression}) + g * learningRate`,
  });
  const program = rule.variant().perElement;
  const bounds = new Bounds(program, model);
  for (const { name, node } of program.inputs)
    bounds.input(node, name === "p" ? p : name === "g" ? g : name === "decay" ? 1 : 0);
  return bounds.compute()[0];
}

describe("bounds of single operations", () => {
  test("a sum may be off by u of the result", () => {
    const { low, exact, high } = boundOf("p + g", 1, 2 ** -20);
    expect(exact).toBe(1 + 2 ** -20);
    expect(high - exact).toBeCloseTo(u, 12);
    expect(exact - low).toBeCloseTo(u, 12);
  });

  test("adding 0 and multiplying by 0, 1 or −1 is exact", () => {
    for (const expression of ["p + 0", "p - 0", "0 + p", "p * 1", "p * -1", "p / 1"]) {
      const { low, high } = boundOf(expression, 3.1415927410125732, 0);
      expect(high - low).toBeLessThanOrEqual(2 ** -149);
    }
    expect(boundOf("p * 0", 3, 0).high).toBe(2 ** -150);
  });

  test("signs, comparisons and flush cover both sides where the operand's interval touches", () => {
    const sign = boundOf("sign(p * 3 - g)", 1 / 3, 1);
    expect([Math.round(sign.low), Math.round(sign.high)]).toEqual([-1, 1]);
    const select = boundOf("p * 3 < g ? 5 : 7", Math.fround(1 / 3), 1);
    expect([Math.round(select.low), Math.round(select.high)]).toEqual([5, 7]);
    const decided = boundOf("p * 3 < g ? 5 : 7", 0.3, 1);
    expect([Math.round(decided.low), Math.round(decided.high)]).toEqual([5, 5]);
    const flushed = boundOf("flush(p * g)", 2 ** -100, 2 ** -26 * (1 + 2 ** -23));
    expect(flushed.low).toBeLessThanOrEqual(0);
    expect(flushed.high).toBeGreaterThan(2 ** -126);
  });

  test("what may be NaN is not certain to be at most an infinity", () => {
    const overflowing = "g * 1e30 * 1e30 - g * 1e31 * 1e30";
    const { low, high } = boundOf(`${overflowing} <= p ? 5 : 7`, Infinity, 1);
    expect([Math.round(low), Math.round(high)]).toEqual([5, 7]);
    const below = boundOf(`p <= ${overflowing} ? 5 : 7`, -Infinity, 1);
    expect([Math.round(below.low), Math.round(below.high)]).toEqual([5, 7]);
  });

  test("what can be anything is said to be", () => {
    for (const expression of [
      "g / (p * 3 - 1)",
      "sqrt(p * 3 - 1 - 0.00000001)",
      "p * 1e30 * 1e30 - p * 1e31 * 1e30",
    ]) {
      const interval = boundOf(expression, Math.fround(1 / 3), 1);
      expect([interval.low, interval.high]).toEqual([-Infinity, Infinity]);
      expect(errorOverBound(1, interval)).toBeNaN();
    }
  });

  test("NaN is certain where the inputs leave no choice, and not in WGSL", () => {
    expect(boundOf("p + g", Number.NaN, 1).low).toBeNaN();
    expect(boundOf("g / p", 0, 0).low).toBeNaN();
    expect(errorOverBound(0, boundOf("p + g", Number.NaN, 1))).toBe(Infinity);
    expect(errorOverBound(Number.NaN, boundOf("p + g", Number.NaN, 1))).toBe(0);
    expect(boundOf("p + g", Number.NaN, 1, wgsl).low).toBe(-Infinity);
  });
});

describe("Adam's bound in closed form", () => {
  const program: Program = rules.find(({ name }) => name === "adam")!.variant().perElement;

  test.each([
    { model: roundToNearest, factor: 1, terms: [1, 7, 2] },
    { model: wgsl, factor: 2, terms: [2, 24, 4] },
  ])("$model.name", ({ model, factor, terms: [a, b, c] }) => {
    const random = new Random(5);
    for (let i = 0; i < cases(2000, 100); i += 1) {
      const [c1, c2] = [
        Math.fround(random.between(0.01, 0.5)),
        Math.fround(random.between(1e-3, 0.2)),
      ];
      const [epsilon, rate] = [Math.fround(1e-7), Math.fround(random.between(1e-4, 1e-1))];
      const p = Math.fround(random.magnitude(-3, 1));
      const g = Math.fround(random.magnitude(-4, 1));
      const m = Math.fround(random.magnitude(-4, 1));
      const v = Math.fround(Math.abs(random.magnitude(-8, 1)));
      const values: Record<string, number> = {
        p,
        g,
        m,
        v,
        c1,
        c2,
        epsilonHat: epsilon,
        rate,
        decay: 1,
        mFlushThreshold: 0,
        vFlushThreshold: 0,
      };
      const bounds = new Bounds(program, model);
      for (const { name, node } of program.inputs) bounds.input(node, values[name]);
      bounds.compute();
      const radius = (name: string): number => {
        const { low, high } = bounds.outputs[program.outputs.findIndex((o) => o.name === name)];
        return (high - low) / 2;
      };
      const m1 = m + (g - m) * c1;
      const v1 = v + (g * g - v) * c2;
      const update = (rate * Math.abs(m1)) / (Math.sqrt(v1) + epsilon);
      const w = (rate * c1 * Math.abs(g - m)) / (Math.sqrt(v1) + epsilon);
      const p1 = p - (rate * m1) / (Math.sqrt(v1) + epsilon);
      const slack = (1 + 100 * u) * 1.0001;
      const tiny = 2 ** -120;
      expect(radius("m")).toBeLessThanOrEqual(
        factor * u * (Math.abs(m1) + 2 * c1 * Math.abs(g - m)) * slack + tiny,
      );
      expect(radius("v")).toBeLessThanOrEqual(
        factor * u * (v1 + 2 * c2 * Math.abs(g * g - v) + c2 * g * g) * slack + tiny,
      );
      expect(radius("p")).toBeLessThanOrEqual(
        u * (a * Math.abs(p1) + b * update + c * w) * slack + tiny,
      );
    }
  });
});

describe("implementations that take every freedom stay inside", () => {
  test.each([
    { model: roundToNearest, freedom: "none" },
    { model: roundToNearest, freedom: "extra precision" },
    { model: wgsl, freedom: "wgsl" },
  ] as const)("$model.name, $freedom", ({ model, freedom }) => {
    const random = Random.of(1, `${model.name} ${freedom}`);
    let worst = 0;
    for (const rule of rules) {
      // Rules with reductions are run by the simulated GPU, over whole tensors.
      const elementwise = rule.variants().filter(({ passPlan }) => passPlan.passes.length === 1);
      for (const variant of elementwise) {
        const program = variant.perElement;
        const bounds = new Bounds(program, model);
        for (let i = 0; i < cases(200, 5); i += 1) {
          const inputs = program.inputs.map(({ name, node }) => {
            const magnitude = Math.abs(random.magnitude(-9, 1));
            const signed = ["p", "g", "m", "a"].includes(name) && random.chance(0.5);
            const value = Math.fround(random.chance(0.05) ? 0 : signed ? -magnitude : magnitude);
            bounds.input(node, value);
            return value;
          });
          const intervals = bounds.compute();
          const results = adversary(program, inputs, freedom, random);
          results.forEach((result, k) => {
            const ratio = errorOverBound(result, intervals[k]);
            if (ratio > worst) worst = ratio;
            expect(
              ratio > 1,
              `${variant.label} ${program.outputs[k].name}: ${result} ${JSON.stringify(intervals[k])}`,
            ).toBe(false);
          });
        }
      }
    }
    expect(worst).toBeGreaterThan(0.3);
  });
});
