import { expect, test } from "vitest";
import { StepScalars } from "../src/optimizer/step/step-scalars.js";
import {
  adabelief,
  adadelta,
  adam,
  adamax,
  adamw,
  adan,
  ademamix,
  adopt,
  lamb,
  lars,
  lion,
  muon,
  nadam,
  prodigy,
  radam,
  rmsprop,
  scheduleFreeAdamw,
  sgd,
  yogi,
} from "../src/rules/factories.js";
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
  [adadelta.rule, {}, { v: magnitude, d: magnitude }],
  [radam.rule, {}, { m: mean, v: square }],
  [adabelief.rule, {}, { m: mean, v: square }],
  [yogi.rule, {}, { m: mean }],
  [adan.rule, {}, { m: mean, d: mean, v: square }],
  [muon.rule, { secondMoments: "row" }, { m: mean, v: mean }],
  [adopt.rule, {}, { m: mean, v: square }],
  [lamb.rule, {}, { m: mean, v: square }],
  [lars.rule, {}, { m: mean }],
  [prodigy.rule, {}, { m: mean, s: mean }],
  [scheduleFreeAdamw.rule, {}, { v: square }],
  [ademamix.rule, {}, { m1: mean, m2: mean, v: square }],
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
    {
      get: (name) => (name === "epsilon" ? epsilon : (hyperparameters[name] as number)),
      isScheduled: false,
    },
    { iterations: 0, changes: 0, callsPerStep: 1 },
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
