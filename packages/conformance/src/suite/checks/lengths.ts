import { adam, rmsprop, type OptimizerSpec } from "@gradstep/core";
import { assertCode } from "../assert.js";
import { Random } from "../random.js";
import type { Check, Context } from "../subject.js";
import { Trial } from "../trial.js";

/** Lengths at which loops that take several values at a time, or pieces of an array, go wrong. */
const borders = [511, 513, 1024, 1025, 4097, 16_385];

const few = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Every length from 0 to 257, and larger ones around powers of two; each inside a fence where the backend can. */
export const lengthChecks: readonly Check[] = [
  {
    group: "lengths",
    name: "0 is refused",
    run: async ({ subject }) => {
      const backend = await subject.backend();
      await assertCode("INVALID_SHAPE", "tensor([0])", () => backend.tensor([0]));
    },
  },
  ...[
    { name: "1 to 128", lengths: few(1, 128) },
    { name: "129 to 257", lengths: few(129, 257) },
    { name: `${borders[0]} to ${borders.at(-1)}`, lengths: borders },
  ].map(({ name, lengths }): Check => ({
    group: "lengths",
    name,
    run: async (context) => {
      const spec = adam({ learningRate: 0.01, amsgrad: true, weightDecay: 0.1 });
      for (const length of lengths) await oneStep(context, spec, [length, 1]);
    },
  })),
  {
    group: "lengths",
    name: "many tensors in one step",
    run: async (context) => {
      await oneStep(context, adam(), few(1, 40));
      await oneStep(context, rmsprop({ momentum: 0.9, centered: true }), [...few(1, 40)].reverse());
    },
  },
];

/** One step of tensors of these lengths, in one batch. */
async function oneStep(
  context: Context,
  spec: OptimizerSpec,
  lengths: readonly number[],
): Promise<void> {
  const random = Random.of(context.seed, spec.rule.name, lengths[0]);
  const values = (length: number): Float32Array =>
    Float32Array.from({ length }, () => random.between(-1, 1));
  const named = <T>(make: (length: number) => T): Record<string, T> =>
    Object.fromEntries(lengths.map((length, i) => [`p${i}`, make(length)]));
  const trial = await Trial.start(
    context,
    spec,
    named((length) => ({ shape: [length], values: values(length) })),
  );
  await trial.step(named(values));
  trial.optimizer.dispose();
}
