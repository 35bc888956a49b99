// Several random optimizers on the same backends take turns; one fails, and some are disposed of while work is pending.
import { adam, createOptimizer, GradstepError, type Backend } from "gradstep";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { backends } from "./backends.js";
import {
  randomCase,
  start,
  take,
  valuesOf,
  type Case,
  type Run,
  type Values,
} from "./random-calls.js";
import { bitsOf, randomOf, type Random } from "./random.js";

interface Trained extends Run {
  readonly one: Case;
  readonly values: Values;
  /** How many calls were made. */
  made: number;
  isDisposed: boolean;
}

/** An optimizer of a case that the backend can take. */
function startRandom(backend: Backend, random: Random): Trained {
  for (;;) {
    const { one, values } = randomCase(random, 8);
    try {
      return { ...start(backend, one, values), one, values, made: 0, isDisposed: false };
    } catch (error) {
      // Not everything can be combined.
      if (!(error instanceof GradstepError)) throw error;
    }
  }
}

/** Everything that a run has at the end. */
async function dataOf(run: Run): Promise<unknown> {
  // Where a device decides on skips, sums of the next step depend on when the host heard of them.
  const { control, ...state } = await run.optimizer.state();
  return bitsOf({ state, skippedSteps: control?.skippedSteps, values: await valuesOf(run) });
}

/** Steps that are refused before, and as, their parameter is freed. */
function fail(backend: Backend): void {
  const w = backend.tensor([3], [1, 2, 3]);
  const optimizer = createOptimizer(adam(), { w });
  optimizer.step({ w: Float32Array.of(1, 2, 3) });
  expect(() => optimizer.step({ w: Float32Array.of(1, 2) })).toThrow(GradstepError);
  w.free();
  expect(() => optimizer.step({ w: Float32Array.of(1, 2, 3) })).toThrow(GradstepError);
  optimizer.dispose();
}

/** @returns the number of optimizers that were disposed of early */
async function compare(make: () => Backend, random: Random, what: string): Promise<number> {
  const made = [make(), make()];
  const runs = Array.from({ length: 4 }, (_, i) => startRandom(made[i % 2], random));
  const reading: Promise<unknown>[] = [];
  for (let i = 0; i < 48; i += 1) {
    const run = random.pick(runs);
    if (i % 16 === 7) fail(run.tensors["w"].backend);
    if (run.isDisposed || run.made === run.one.calls.length) continue;
    await take(run, [run.one.calls[run.made]]);
    run.made += 1;
    if (random.chance(0.2)) reading.push(run.optimizer.state().catch((error: unknown) => error));
    if (random.chance(0.2)) reading.push(run.tensors["w"].read());
    if (random.chance(0.05)) {
      run.optimizer.dispose();
      run.isDisposed = true;
    }
  }
  // What was asked of an optimizer before it was disposed of has an answer, or an error with a code.
  for (const answer of await Promise.all(reading))
    expect([what, answer instanceof Error && !(answer instanceof GradstepError)]).toEqual([
      what,
      false,
    ]);
  const backend = make();
  for (const [i, run] of runs.entries()) {
    const alone = start(backend, run.one, run.values);
    await take(alone, run.one.calls.slice(0, run.made));
    const both = await Promise.all(
      run.isDisposed ? [valuesOf(run), valuesOf(alone)] : [dataOf(run), dataOf(alone)],
    );
    const [got, expected] = both.map(bitsOf);
    expect([what, i, got]).toEqual([what, i, expected]);
    for (const { optimizer } of [run, alone]) optimizer.dispose();
  }
  for (const one of [...made, backend]) one.dispose?.();
  return runs.filter(({ isDisposed }) => isDisposed).length;
}

test.each(backends)(
  `on %s, optimizers that share a backend have the bits of those that are alone (seed ${seed})`,
  async (name, make) => {
    const all = randomOf(seed + 41);
    const count = name === "webgpu" ? cases(40, 3) : cases(150, 5);
    let disposed = 0;
    for (let i = 0; i < count; i += 1)
      disposed += await compare(make, randomOf(all.integer(0, 2 ** 31)), `case ${i}, seed ${seed}`);
    expect(disposed).toBeGreaterThan(0);
  },
);
