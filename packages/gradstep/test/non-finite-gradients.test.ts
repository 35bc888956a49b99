import { adam, adamw, chain, clipByGlobalNorm, ema, warmup } from "gradstep";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { randomOf } from "./random.js";
import { backends, bitsOf, mean, nonFinite, randomArrays, start } from "./step-control-runs.js";

describe.each(Object.entries(backends))("gradients that are not finite on %s", (_, backend) => {
  test(`a skipped step changes no bit, and the next is that of a run without it (seed ${seed})`, async () => {
    const random = randomOf(seed + 4);
    const spec = chain(clipByGlobalNorm(0.5), adamw({ learningRate: warmup(5, 0.1) }), ema(0.9));
    const initial = randomArrays(random);
    const skipping = start(backend(), spec, initial, { nonFinite: "skip" });
    const plain = start(backend(), spec, initial);
    const count = cases(10_000, 200);
    for (let i = 0; i < count; i += 1) {
      const bad = randomArrays(random);
      const names = Object.keys(bad);
      const array = bad[random.pick(names)];
      array[random.integer(0, array.length - 1)] = nonFinite[i % 3];
      const before = await bitsOf(skipping);
      skipping.optimizer.step(bad);
      expect(await bitsOf(skipping)).toEqual(before);
      if (i % 10 !== 0) continue;
      const gradients = randomArrays(random);
      skipping.optimizer.step(gradients);
      plain.optimizer.step(gradients);
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    }
    expect(skipping.optimizer.skippedSteps).toBe(count);
    expect(await skipping.optimizer.metrics()).toMatchObject({ skippedSteps: count });
  });

  test("values in rows that a mask leaves out do not count", async () => {
    const random = randomOf(seed + 5);
    const run = start(backend(), adam(), randomArrays(random, ["w"]), { nonFinite: "skip" });
    const gradients = randomArrays(random, ["w"]);
    gradients.w[5] = Number.NaN;
    run.optimizer.step(gradients, { rows: Uint32Array.of(1, 0, 1, 1, 1) });
    expect(run.optimizer.iterations).toBe(1);
    run.optimizer.step(gradients, { rows: Uint32Array.of(1, 1, 1, 1, 1) });
    expect([run.optimizer.iterations, run.optimizer.skippedSteps]).toEqual([1, 1]);
  });

  test("throw names the value, and nothing has changed", async () => {
    const random = randomOf(seed + 6);
    for (const accumulate of [1, 2]) {
      const run = start(backend(), adam(), randomArrays(random), {
        nonFinite: "throw",
        accumulate,
      });
      run.optimizer.step(randomArrays(random));
      const before = await run.optimizer.state();
      const bad = randomArrays(random);
      bad.b[2] = -Infinity;
      expect(() => run.optimizer.step(bad)).toThrow(
        expect.objectContaining({
          code: "NON_FINITE",
          message: expect.stringContaining('"b" has -Infinity at 2'),
        }),
      );
      expect(await run.optimizer.state()).toEqual(before);
    }
  });

  test("a sum that is not finite drops the step of all its calls", async () => {
    const random = randomOf(seed + 7);
    const run = start(backend(), adam(), randomArrays(random), {
      nonFinite: "skip",
      accumulate: 2,
    });
    const before = await bitsOf(run);
    const bad = randomArrays(random);
    bad.w[3] = Number.NaN;
    run.optimizer.step(bad);
    expect(run.optimizer.microSteps).toBe(1);
    run.optimizer.step(randomArrays(random));
    expect([run.optimizer.microSteps, run.optimizer.skippedSteps]).toEqual([0, 1]);
    expect(await bitsOf(run)).toEqual(before);
    const plain = start(backend(), adam(), randomArrays(randomOf(seed + 7)));
    const calls = [randomArrays(random), randomArrays(random)];
    for (const gradients of calls) run.optimizer.step(gradients);
    plain.optimizer.step(mean(calls));
    expect(await bitsOf(run)).toEqual(await bitsOf(plain));
  });
});
