import type { OptimizerSpec } from "@gradstep/core";
import { assert, assertSameAll } from "../assertions.js";
import { inRange } from "../random/random-settings.js";
import { Random } from "../random/random.js";
import type { Check } from "../check.js";
import { Harness } from "../harness.js";

const names = ["kernel", "bias", "scale", "late", "sparse"];

/** Groups have hyperparameters and steps of their own; setters act on the next step; a gradient may be missing. */
export function groupChecks(specs: readonly OptimizerSpec[]): readonly Check[] {
  return specs.map((spec) => ({
    group: "groups",
    name: `${spec.rule.name}: hyperparameters and steps of its own`,
    run: async (context) => {
      const random = Random.of(context.seed, spec.rule.name);
      const { hyperparameters } = spec.rule;
      const rate = (value: number): number => inRange(hyperparameters.learningRate, value);
      const decay = (value: number): number => inRange(hyperparameters.weightDecay, value);
      const values = (): Float32Array =>
        Float32Array.from({ length: 6 }, () => random.between(-1, 1));
      const harness = await Harness.start(
        context,
        spec,
        Object.fromEntries(names.map((name) => [name, { shape: [2, 3], values: values() }])),
        [
          { match: /bias|scale/, learningRate: rate(0.3), weightDecay: decay(0) },
          { match: "late", weightDecay: decay(0.5) },
          { match: "sparse", every: 3, learningRate: rate(0.02) },
        ],
      );
      for (let step = 0; step < 8; step += 1) {
        const gradients = Object.fromEntries(names.map((name) => [name, values()]));
        if (step % 3 === 1) delete gradients.kernel;
        if (step < 4) delete gradients.late;
        const { sparse } = await harness.values();
        await harness.step(gradients);
        const [group] = harness.optimizer.groups.slice(2);
        const steps = Math.floor((step + 1) / 3);
        assert(
          group.iterations === steps,
          `${spec.rule.name}, step ${step + 1}: a group with every: 3 counts ${group.iterations} steps; expected ${steps}`,
        );
        if (step % 3 !== 2)
          assertSameAll(
            await harness.values(),
            { sparse },
            `${spec.rule.name}, step ${step + 1}, which is not one of the group's`,
          );
        harness.both((optimizer) => {
          if (step === 2) optimizer.groups[0].learningRate = rate(0.07);
          if (step === 3) optimizer.groups[1].learningRate = rate(0.9);
          if (step === 5) optimizer.learningRate = rate(0);
          if (step === 6) optimizer.weightDecay = decay(0.25);
        });
      }
      harness.optimizer.dispose();
    },
  }));
}
