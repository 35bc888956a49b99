import { adam, nadam, sgd } from "@gradstep/core";
import { assert, assertSameAll } from "../assert.js";
import { Random } from "../random.js";
import type { Check } from "../subject.js";
import { Trial } from "../trial.js";

const names = ["kernel", "bias", "scale", "late", "seldom"];

/** Groups have their own numbers, in any order of tensors; setters act at once; parameters may come and be silent. */
export const groupChecks: readonly Check[] = [
  adam({ learningRate: 0.01 }),
  sgd({ learningRate: 0.1, momentum: 0.9 }),
  nadam({ learningRate: 0.01, weightDecay: 0.1 }),
].map((spec) => ({
  group: "groups",
  name: `${spec.rule.name}: own numbers, live`,
  run: async (context) => {
    const random = Random.of(context.seed, spec.rule.name);
    const values = (): Float32Array =>
      Float32Array.from({ length: 6 }, () => random.between(-1, 1));
    const trial = await Trial.start(
      context,
      spec,
      Object.fromEntries(names.map((name) => [name, { shape: [2, 3], values: values() }])),
      [
        { match: /bias|scale/, learningRate: 0.3, weightDecay: 0 },
        { match: "late", weightDecay: 0.5 },
        { match: "seldom", every: 3, learningRate: 0.02 },
      ],
    );
    for (let step = 0; step < 8; step += 1) {
      const gradients = Object.fromEntries(names.map((name) => [name, values()]));
      if (step % 3 === 1) delete gradients.kernel;
      if (step < 4) delete gradients.late;
      const { seldom } = await trial.values();
      await trial.step(gradients);
      const [group] = trial.optimizer.groups.slice(2);
      const steps = Math.floor((step + 1) / 3);
      assert(
        group.iterations === steps,
        `a group with every: 3 counts ${group.iterations} steps after ${step + 1}; expected ${steps}`,
      );
      if (step % 3 !== 2)
        assertSameAll(await trial.values(), { seldom }, "a step that is not the group's");
      trial.both((optimizer) => {
        if (step === 2) optimizer.groups[0].learningRate = 0.07;
        if (step === 3) optimizer.groups[1].learningRate = 0.9;
        if (step === 5) optimizer.learningRate = 0;
        if (step === 6) optimizer.weightDecay = 0.25;
      });
    }
    trial.optimizer.dispose();
  },
}));
