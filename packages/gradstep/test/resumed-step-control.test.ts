import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  cosineDecayRestarts,
  ema,
  muon,
  nadam,
  warmup,
  type OptimizerOptions,
  type OptimizerSpec,
} from "gradstep";
import { describe, expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { randomOf } from "./random.js";
import { backends, bitsOf, nonFinite, randomArrays, start, valuesOf } from "./step-control-runs.js";

/** Calls before the state is taken, the spec, the options, and which calls have a gradient that is not finite. */
const resumed: readonly (readonly [string, number, OptimizerSpec, OptimizerOptions, number[]])[] = [
  ["of a warm-up", 4, adamw({ learningRate: warmup(9, cosineDecay(0.1, 20)) }), {}, []],
  ["of a restart", 7, nadam({ learningRate: cosineDecayRestarts(0.1, 5) }), {}, []],
  [
    "of an accumulation",
    7,
    chain(adamw({ learningRate: warmup(3, 0.1) }), ema(0.9)),
    { accumulate: 3 },
    [],
  ],
  [
    "of a streak of skipped steps",
    6,
    adam({ learningRate: warmup(9, 0.1) }),
    { lossScale: "dynamic" },
    [4, 5, 6, 7],
  ],
  [
    "of all of it",
    8,
    chain(clipByGlobalNorm(1), muon(), ema(0.9)),
    { accumulate: 2, lossScale: { growthInterval: 2 } },
    [3, 7, 8],
  ],
];

describe.each(Object.entries(backends))("resumed on %s", (_, backend) => {
  test.each(resumed)(
    "in the middle %s, a run has the bits of one without a break",
    async (_, before, spec, options, bad) => {
      const random = randomOf(seed + 11);
      const initial = randomArrays(random);
      const calls = Array.from({ length: 2 * before }, (_, i) => {
        const gradients = randomArrays(random);
        if (bad.includes(i)) gradients.w[i] = nonFinite[i % 3];
        return gradients;
      });
      const whole = start(backend(), spec, initial, options);
      const first = start(backend(), spec, initial, options);
      for (const gradients of calls) whole.optimizer.step(gradients);
      for (const gradients of calls.slice(0, before)) first.optimizer.step(gradients);
      const now = await valuesOf(first);
      const second = start(backend(), spec, now, options);
      second.optimizer.restore(structuredClone(await first.optimizer.state()));
      for (const gradients of calls.slice(before)) second.optimizer.step(gradients);
      expect(await bitsOf(second)).toEqual(await bitsOf(whole));
      expect(second.optimizer.lossScale).toBe(whole.optimizer.lossScale);
      expect(second.optimizer.skippedSteps).toBe(whole.optimizer.skippedSteps);
    },
  );
});
