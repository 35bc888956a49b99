import { expect, test } from "vitest";
import { StepScalars } from "../src/optimizer/step/step-scalars.js";
import { adam } from "../src/rules/adam.js";
import { adamax } from "../src/rules/adamax.js";
import { adamw } from "../src/rules/adamw.js";
import { lion } from "../src/rules/lion.js";
import { nadam } from "../src/rules/nadam.js";
import { rmsprop } from "../src/rules/rmsprop.js";
import { sgd } from "../src/rules/sgd.js";
import type { Rule } from "../src/rule/rule.js";

const epsilon = 2 ** -20;
/** A magnitude that vanishes when ε is added in f32, and its square. */
const magnitude = 2 ** -48;
const square = 2 ** -96;
const mean = 2 ** -96;

const flushed: readonly (readonly [Rule, Record<string, unknown>, Record<string, number>])[] = [
  [adam.rule, {}, { m: mean, v: square }],
  [adam.rule, { amsgrad: true, nesterov: true }, { m: mean, v: square }],
  [adamw.rule, {}, { m: mean, v: square }],
  [adamax.rule, {}, { m: mean, norm: magnitude }],
  [nadam.rule, {}, { m: mean, v: square }],
  [lion.rule, {}, { m: mean }],
  [rmsprop.rule, { momentum: 0.9, centered: true }, { v: square, a: magnitude, m: mean }],
  [sgd.rule, { momentum: 0.9 }, { m: mean }],
];

test.each(flushed)("$name %o flushes negligible values at every 64th step", (...given) => {
  const [rule, settings, thresholds] = given;
  const { hyperparameters, options } = rule.specify(settings);
  const choices = { ...options, ...(settings["momentum"] !== undefined && { momentum: true }) };
  const variant = rule.variant(choices);
  const scalars = new StepScalars(
    variant,
    (name) => (name === "epsilon" ? epsilon : hyperparameters[name]),
    { count: 0 },
  );
  const thresholdsAt = (t: number): Record<string, number> => {
    scalars.compute(t);
    const entries = variant.scalars.flatMap((name, i) => {
      const slot = /^(\w+)FlushThreshold$/.exec(name)?.[1];
      return slot === undefined ? [] : [[slot, scalars.values[i]] as const];
    });
    return Object.fromEntries(entries);
  };
  const none = Object.fromEntries(Object.keys(thresholds).map((slot) => [slot, 0]));
  for (const t of [64, 128, 6400]) expect(thresholdsAt(t)).toEqual(thresholds);
  for (const t of [1, 2, 32, 63, 65, 96, 127, 129]) expect(thresholdsAt(t)).toEqual(none);
});
