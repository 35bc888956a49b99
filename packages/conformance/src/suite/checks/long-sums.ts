import { defineRule, nonNegative } from "@gradstep/core";
import type { Context } from "../check.js";
import { Harness } from "../harness.js";
import { Random } from "../random/random.js";

/** Sums over several blocks, and over more tensors than are joined alike in any order. */
export async function longSums(context: Context): Promise<void> {
  const random = Random.of(context.seed, "long sums");
  const { rule } = defineRule({
    name: "long-sums",
    hyperparameters: { learningRate: nonNegative(0.01) },
    perElement: `
      u = g * sumTensor(g) * learningRate + p * normAll(g) * 0.01 + meanAll(p * g) + maxAll(g)
    `,
  });
  const lengths = [
    random.integer(4097, 6000),
    ...Array.from({ length: 20 }, () => random.integer(1, 300)),
  ];
  // Of one magnitude, so that no value hides the rounding of the others.
  const valuesOf = (length: number): Float32Array =>
    Float32Array.from({ length }, () => random.between(-1, 1));
  const initial = Object.fromEntries(
    random
      .sample(lengths, lengths.length)
      .map((size, i) => [`p${i}`, { shape: [size], values: valuesOf(size) }]),
  );
  const harness = await Harness.start(context, rule.specify({}), initial);
  const steps = context.cases >= 16 ? 3 : 1;
  for (let step = 0; step < steps; step += 1) {
    await harness.step(
      Object.fromEntries(
        Object.entries(initial).map(([name, { values }]) => [name, valuesOf(values.length)]),
      ),
    );
  }
  harness.optimizer.dispose();
  await sumsOfTensors(context);
  context.stats.cases += 1;
}

/**
 * One value per tensor, whose sum is 2⁻²³ if neighbors are joined first, as the language defines. One after the other
 * they give 0, from the last to the first 3 · 2⁻²⁴.
 */
async function sumsOfTensors(context: Context): Promise<void> {
  const { rule } = defineRule({
    name: "sums-of-tensors",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement: "u = sumAll(g) * learningRate",
  });
  const values = [1, 2 ** -24, 2 ** -24, 2 ** -24, -1];
  const tensors = (valueAt: (i: number) => number): Record<string, Float32Array> =>
    Object.fromEntries(values.map((_, i) => [`p${i}`, Float32Array.of(valueAt(i))]));
  const initial = Object.entries(tensors(() => 0)).map(
    ([name, zero]) => [name, { shape: [1], values: zero }] as const,
  );
  const harness = await Harness.start(context, rule.specify({}), Object.fromEntries(initial));
  await harness.step(tensors((i) => values[i]));
  harness.optimizer.dispose();
}
