import type { OptimizerSpec } from "@gradstep/core";
import { assertCode } from "../assertions.js";
import { Random } from "../random/random.js";
import type { Check, Context } from "../check.js";
import { Harness } from "../harness.js";

/** Lengths around powers of two, where loops over vectors, chunks or workgroups go wrong. */
const powers = [511, 512, 513, 1024, 1025, 4096, 4097, 16_384, 16_385];

const range = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Every length from 1 to 257, larger ones around powers of two, and many tensors in one step. */
export function lengthChecks(specs: readonly OptimizerSpec[]): readonly Check[] {
  return [
    {
      group: "lengths",
      name: "0 is refused",
      run: async ({ target }) => {
        const backend = await target.backend();
        await assertCode("INVALID_SHAPE", "tensor([0])", () => backend.tensor([0]));
      },
    },
    ...specs.flatMap((spec) => [
      ...[
        { name: "1 to 128", lengths: range(1, 128) },
        { name: "129 to 257", lengths: range(129, 257) },
        { name: `${powers[0]} to ${powers.at(-1)}`, lengths: powers },
      ].map(({ name, lengths }): Check => ({
        group: "lengths",
        name: `${spec.rule.name}: ${name}`,
        run: async (context) => {
          for (const length of lengths) await oneStep(context, spec, [length, 1]);
        },
      })),
      {
        group: "lengths",
        name: `${spec.rule.name}: many tensors in one step`,
        run: async (context: Context) => {
          await oneStep(context, spec, range(1, 40));
          await oneStep(context, spec, [...range(1, 40)].reverse());
        },
      },
    ]),
  ];
}

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
  const harness = await Harness.start(
    context,
    spec,
    named((length) => ({ shape: [length], values: values(length) })),
  );
  await harness.step(named(values));
  harness.optimizer.dispose();
}
