import { expect, test } from "vitest";
import { StepScalars, type Clock } from "../src/optimizer/step/step-scalars.js";
import { nonNegative } from "../src/rule/hyperparameter.js";
import { defineRule } from "../src/rule/define-rule.js";

/** Scalars that say which step they are of: t·rate, and the rate. */
const { rule } = defineRule({
  name: "counting",
  hyperparameters: { learningRate: nonNegative(1) },
  perStep: "product = t * learningRate",
  perElement: "p = p - g * product * learningRate",
});
const variant = rule.variant();

function make(clock: Clock, rate: () => number) {
  const scalars = new StepScalars(
    variant,
    { get: (name) => (name === "learningRate" ? rate() : 0), isScheduled: false },
    clock,
  );
  const at = (name: string): number => scalars.values[variant.scalars.indexOf(name)];
  return (t: number): number[] => {
    scalars.compute(t);
    scalars.commit();
    return [at("product"), at("learningRate")];
  };
}

test("a hundred steps in a row each have their own", () => {
  const compute = make({ iterations: 0, changes: 0, callsPerStep: 1 }, () => 0.5);
  for (let t = 1; t <= 100; t += 1) expect(compute(t)).toEqual([t * 0.5, 0.5]);
});

test.each([0, 1, 2, 7])("the first are right after %i changes", (count) => {
  const compute = make({ iterations: 0, changes: count, callsPerStep: 1 }, () => 0.5);
  expect(compute(1)).toEqual([0.5, 0.5]);
  expect(compute(2)).toEqual([1, 0.5]);
});

test("a change holds from the next step on, whatever was computed ahead", () => {
  let rate = 0.5;
  const clock = { iterations: 0, changes: 0, callsPerStep: 1 };
  const compute = make(clock, () => rate);
  for (let t = 1; t <= 40; t += 1) {
    expect(compute(t)).toEqual([t * rate, rate]);
    if (t === 20 || t === 21 || t === 36) {
      rate /= 2;
      clock.changes += 1;
    }
  }
});

test("steps may be any, in any order", () => {
  const compute = make({ iterations: 0, changes: 0, callsPerStep: 1 }, () => 0.25);
  for (const t of [1, 2, 3, 4, 3, 100, 101, 116, 117, 90, 1, 2 ** 30])
    expect(compute(t)).toEqual([t * 0.25, 0.25]);
});

test("upcoming scalars are those that later steps compute, and unknown after a change", () => {
  const clock = { iterations: 0, changes: 0, callsPerStep: 1 };
  const source = { get: () => 0.5, isScheduled: false };
  const scalars = new StepScalars(variant, source, clock);
  const target = new Float64Array(variant.scalars.length);
  let known = 0;
  for (let t = 1; t <= 100; t += 1) {
    scalars.compute(t);
    for (let steps = 1; steps <= 20; steps += 1) {
      if (!scalars.upcoming(steps, target)) continue;
      known += 1;
      expect(target[variant.scalars.indexOf("product")]).toBe((t + steps) * 0.5);
      expect(target[variant.scalars.indexOf("learningRate")]).toBe(0.5);
    }
  }
  expect(known).toBeGreaterThan(500);
  scalars.compute(90);
  clock.changes += 1;
  expect(scalars.upcoming(1, target)).toBe(false);
  scalars.compute(91);
  scalars.computeFor(91, "learningRate", 0);
  expect(scalars.upcoming(1, target)).toBe(false);
});
