import type { Rule } from "@gradstep/core";
import { needsOf } from "../rule-needs.js";
import type { Check } from "../check.js";
import { Harness } from "../harness.js";

/** NaN and infinities in a gradient reach the parameter as IEEE 754 says, and no other element. */
export function nonFiniteChecks(rules: readonly Rule[]): readonly Check[] {
  return rules.map((rule) => ({
    group: "NaN and infinity",
    name: rule.name,
    needs: needsOf(rule),
    run: async (context) => {
      for (const settings of [{}, { weightDecay: 0.1, weightDecayMode: "l2" }]) {
        const harness = await Harness.start(context, rule.specify(settings), {
          p: { shape: [6], values: Float32Array.of(1, 2, 3, 4, Number.NaN, Infinity) },
        });
        await harness.step({ p: Float32Array.of(0.5, Number.NaN, Infinity, -Infinity, 1, 1) });
        await harness.step({ p: Float32Array.of(0.5, 1, 1, 1, 1, 1) });
        harness.optimizer.dispose();
      }
    },
  }));
}
