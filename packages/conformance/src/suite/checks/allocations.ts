import type { Backend, Tensor } from "@gradstep/core";
import { assertSame } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";

/** Numbers of values: of a few bytes, and of parts of what an allocator takes from the system at once. */
const sizes = [1, 63, 64, 300, 5000, 60_000] as const;
const operations = 60;
const maxLive = 12;

/** Tensors share memory with nothing, in whatever order they are made and freed. */
export const allocationChecks: readonly Check[] = [
  {
    group: "tensors",
    name: "of many sizes, made and freed in any order, keep their values",
    run: makeAndFree,
  },
];

/** A tensor, and the values that it must have. */
interface LiveTensor {
  readonly tensor: Tensor;
  readonly values: Float32Array;
}

async function makeAndFree({ target, seed }: Context): Promise<void> {
  const backend = await target.backend();
  const random = Random.of(seed, "allocations");
  const live: LiveTensor[] = [];
  for (let operation = 1; operation <= operations; operation += 1) {
    const what = `after ${operation} tensors were made or freed (seed ${seed})`;
    if (live.length === maxLive || (live.length > 0 && random.chance(0.45)))
      live.splice(random.integer(0, live.length - 1), 1)[0].tensor.free();
    else live.push(await make(backend, random, operation, what));
    if (operation % 10 === 0) await assertAll(live, what);
  }
  for (const { tensor } of live) tensor.free();
}

/** Half of the tensors start at zero, and are written to later. */
async function make(
  backend: Backend,
  random: Random,
  operation: number,
  what: string,
): Promise<LiveTensor> {
  const size = Math.max(1, random.pick(sizes) - random.integer(0, 3));
  const values = new Float32Array(size).fill(operation);
  if (random.chance(0.5)) return { tensor: backend.tensor([size], values), values };
  const tensor = backend.tensor([size]);
  assertSame(await tensor.read(), new Float32Array(size), `${what}: a new tensor`);
  tensor.write(values);
  return { tensor, values };
}

/** All reads begin before the first one ends. */
async function assertAll(live: readonly LiveTensor[], what: string): Promise<void> {
  const reads = await Promise.all(live.map(({ tensor }) => tensor.read()));
  reads.forEach((read, i) => assertSame(read, live[i].values, `${what}: one of ${live.length}`));
}
