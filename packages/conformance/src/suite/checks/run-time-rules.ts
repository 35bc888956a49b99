import { decayRate, defineRule, nonNegative, type Rule } from "@gradstep/core";
import { randomRule } from "../random/random-rule.js";
import { Random } from "../random/random.js";
import { inCase } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Harness } from "../harness.js";
import { randomGradient, randomParameter } from "../random/random-values.js";

/** Has what built-in rules lack: a choice per element, a persistent scalar, a minimum, a flush. */
const thirdParty = defineRule({
  name: "third-party",
  hyperparameters: {
    learningRate: nonNegative(0.01),
    beta: decayRate(0.9),
    limit: nonNegative(0.5),
  },
  options: { signed: [false, true] },
  slots: { m: 0, steps: 1 },
  persistentScalars: { weight: 0 },
  perStep: `
    weight = weight * beta + 1
    rate = learningRate / weight
  `,
  perElement: ({ signed }) => `
    m = flush(m * beta + g)
    steps = m * g < 0 ? max(steps * 0.5, 0.001) : min(steps * 1.2, 50)
    h = ${signed ? "sign(m)" : "m"} * steps * rate
    p = p - (abs(h) > limit ? sign(h) * limit : h)
  `,
});

/** Clears subnormals of the gradient. */
const flushing = defineRule({
  name: "flushing",
  hyperparameters: { learningRate: nonNegative(1) },
  slots: { m: 0 },
  perElement: `
    m = flush(g)
    p = p - m * learningRate
  `,
});

/** Both sides of the smallest normal number of f32, and of thresholds that a wrong backend might use. */
const aroundThresholds = [-126, -125, -124, -120, -110, -101, -100, -99, -64, -24].flatMap(
  (exponent) => [2 ** exponent, -(2 ** exponent), 2 ** exponent * (1 - 2 ** -23)],
);

/** Rules for which a backend has no precompiled kernel: two that are written here, and random ones over the whole language. */
export const runTimeRuleChecks: readonly Check[] = [
  {
    group: "rules defined at run time",
    name: "a rule with choices and persistent scalars",
    run: async (context) => {
      for (let i = 0; i < 12; i += 1)
        await threeSteps(
          context,
          thirdParty.rule,
          { signed: i % 2 === 1, maximize: i % 3 === 0 },
          i,
        );
    },
  },
  {
    group: "rules defined at run time",
    name: "flush clears what is smaller than the smallest normal number, and nothing else",
    run: async (context) => {
      const gradient = Float32Array.from([
        ...aroundThresholds,
        2 ** -149,
        0,
        -0,
        Infinity,
        Number.NaN,
      ]);
      const { length } = gradient;
      const harness = await Harness.start(context, flushing.rule.specify({}), {
        p: { shape: [length], values: new Float32Array(length) },
      });
      await harness.step({ p: gradient });
      harness.optimizer.dispose();
    },
  },
  {
    group: "rules defined at run time",
    name: "random rules",
    run: async (context) => {
      const count = Math.max(60, Math.ceil(context.cases / 10));
      for (let i = 0; i < count; i += 1) {
        const random = Random.of(context.seed, "random rules", i);
        const rule = randomRule(`random-${i}`, random);
        await threeSteps(context, rule, { weightDecay: random.pick([0, 0.1]) }, i);
      }
    },
  },
];

async function threeSteps(
  context: Context,
  rule: Rule,
  settings: Readonly<Record<string, number | boolean>>,
  index: number,
): Promise<void> {
  const random = Random.of(context.seed, rule.name, index);
  const size = random.integer(1, 20);
  try {
    const harness = await Harness.start(context, rule.specify(settings), {
      p: { shape: [size], values: randomParameter(size, random) },
    });
    for (let step = 0; step < 3; step += 1) await harness.step({ p: randomGradient(size, random) });
    harness.optimizer.dispose();
  } catch (error) {
    throw inCase(
      error,
      `rule ${rule.name}, seed ${context.seed}: ${rule.variant().perElement.source}`,
    );
  }
  context.stats.cases += 1;
}
