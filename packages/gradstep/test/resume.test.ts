// Random optimizers with random calls, interrupted at a random one.
import { cpuJs, GradstepError, wasm, type Backend } from "gradstep";
import { reference } from "gradstep/reference";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { randomCase, start, take, valuesOf, type Case, type Run } from "./random-calls.js";
import { bitsOf, randomOf } from "./random.js";

const backends: readonly [string, () => Backend][] = [
  ["reference", reference],
  ["cpu-js", () => cpuJs()],
  ["wasm", () => wasm()],
];

const count = cases(400, 8);

test.each(backends)(
  `on %s, ${count} random optimizers that were interrupted have the bits of those that were not (seed ${seed})`,
  async (_, make) => {
    const all = randomOf(seed);
    let compared = 0;
    let taken = 0;
    let inTheMiddle = 0;
    for (let i = 0; compared < count; i += 1) {
      expect(i).toBeLessThan(10 * count);
      const random = randomOf(all.integer(0, 2 ** 31));
      const half = random.integer(2, 9);
      let one: Case;
      let whole: Run;
      const backend = make();
      try {
        const made = randomCase(random, 2 * half);
        one = made.one;
        whole = start(backend, one, made.values);
      } catch (error) {
        // Not everything can be combined.
        if (error instanceof GradstepError) continue;
        throw error;
      }
      compared += 1;
      await take(whole, one.calls.slice(0, half));
      const state = structuredClone(await whole.optimizer.state());
      if ((state.control?.microSteps ?? 0) > 0) inTheMiddle += 1;
      const resumed = start(make(), one, await valuesOf(whole));
      // What has happened there before is of no influence.
      if (random.chance(0.5)) {
        await take(resumed, [
          { gradients: { w: random.values(6), b: random.values(4) }, options: undefined },
        ]);
        for (const [name, [, values]] of Object.entries(await valuesOf(whole)))
          resumed.tensors[name].write(values);
      }
      const what = `case ${i} of seed ${seed}: ${one.spec.rule.name} ${JSON.stringify(one.options)}`;
      expect([what, resumed.optimizer.restore(state)]).toEqual([what, []]);
      expect([what, bitsOf(await resumed.optimizer.state())]).toEqual([what, bitsOf(state)]);
      const results = await take(whole, one.calls.slice(half));
      expect([what, await take(resumed, one.calls.slice(half))]).toEqual([what, results]);
      taken += results.filter((result) => result === "taken").length;
      expect([what, bitsOf(await valuesOf(resumed))]).toEqual([
        what,
        bitsOf(await valuesOf(whole)),
      ]);
      const [after, expected] = await Promise.all(
        [resumed, whole].map(async ({ optimizer }) => bitsOf(await optimizer.state())),
      );
      expect([what, after]).toEqual([what, expected]);
      for (const { optimizer, tensors } of [whole, resumed]) {
        optimizer.dispose();
        for (const tensor of Object.values(tensors)) tensor.free();
      }
    }
    // Most calls do something.
    expect(taken).toBeGreaterThan(2 * count);
    expect(inTheMiddle).toBeGreaterThan(0);
  },
);
