import { rules } from "@gradstep/core/rules";
import type { Check } from "../subject.js";
import { Trial } from "../trial.js";

/** NaN and infinities in a gradient reach the parameter, as IEEE 754 says; neighbours are not touched by them. */
export const nonFiniteChecks: readonly Check[] = rules.map((rule) => ({
  group: "NaN and infinity",
  name: rule.name,
  run: async (context) => {
    for (const settings of [{}, { weightDecay: 0.1, weightDecayMode: "l2" }]) {
      const trial = await Trial.start(context, rule.specify(settings), {
        p: { shape: [6], values: Float32Array.of(1, 2, 3, 4, Number.NaN, Infinity) },
      });
      await trial.step({ p: Float32Array.of(0.5, Number.NaN, Infinity, -Infinity, 1, 1) });
      await trial.step({ p: Float32Array.of(0.5, 1, 1, 1, 1, 1) });
      trial.optimizer.dispose();
    }
  },
}));
