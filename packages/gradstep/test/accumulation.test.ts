import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  ema,
  newRow,
  warmup,
  type OptimizerOptions,
  type OptimizerSpec,
} from "gradstep";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { randomOf } from "./random.js";
import { backends, bitsOf, mean, randomArrays, start, valuesOf } from "./step-control-runs.js";

const specs: readonly (readonly [string, OptimizerSpec])[] = [
  ...rules.map((rule): [string, OptimizerSpec] => [rule.name, rule.specify({})]),
  ["a chain", chain(clipByGlobalNorm(0.5), adamw({ weightDecay: 0.1 }), ema(0.9))],
  ["a schedule", adam({ learningRate: warmup(3, 0.1) })],
];

describe.each(Object.entries(backends))("accumulation on %s", (_, backend) => {
  test.each(specs)("%s: k calls are one step of their mean, bit for bit", async (_, spec) => {
    const random = randomOf(seed);
    const initial = randomArrays(random);
    const whole = start(backend(), spec, initial);
    const parts = start(backend(), spec, initial, { accumulate: 3 });
    for (let step = 0; step < 3; step += 1) {
      // Without a gradient of the bias in some calls.
      const calls = [0, 1, 2].map((i) =>
        randomArrays(random, i === step ? ["w", "s"] : ["w", "b", "s"]),
      );
      const before = await bitsOf(parts);
      parts.optimizer.step(calls[0]);
      parts.optimizer.step(calls[1]);
      expect(await bitsOf(parts)).toEqual(before);
      parts.optimizer.step(calls[2]);
      whole.optimizer.step(mean(calls));
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
    }
    expect(parts.optimizer.microSteps).toBe(0);
  });

  test("rows of masks are combined", async () => {
    const random = randomOf(seed + 1);
    const initial = randomArrays(random, ["w"]);
    const whole = start(backend(), adam(), initial);
    const parts = start(backend(), adam(), initial, { accumulate: 2 });
    const masks = [Uint32Array.of(1, 0, 0, 1, 0), Uint32Array.of(0, 0, 7, 1, 0)];
    for (let step = 0; step < 2; step += 1) {
      const calls = [randomArrays(random, ["w"]), randomArrays(random, ["w"])];
      calls.forEach((gradients, i) => parts.optimizer.step(gradients, { rows: masks[i] }));
      const masked = calls.map(({ w }, i) => ({
        w: w.map((value, k) => (masks[i][Math.floor(k / 4)] === 0 ? -0 : value)),
      }));
      whole.optimizer.step(mean(masked), { rows: Uint32Array.of(1, 0, 1, 1, 0) });
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
    }
  });

  test.each<OptimizerOptions>([
    { sparse: "dense" },
    { sparse: "lazy" },
    { sparse: "lazy", rowSteps: true },
  ])("sparse gradients are added in their rows: %o", async (options) => {
    const random = randomOf(seed + 10);
    const initial = randomArrays(random, ["w"]);
    const whole = start(backend(), adam(), initial, options);
    const parts = start(backend(), adam(), initial, {
      ...options,
      accumulate: 2,
      nonFinite: "skip",
    });
    const rowsOf = (count: number) => randomArrays(random, ["w"]).w.slice(0, 4 * count);
    const bad = { indices: Uint32Array.of(3), values: Float32Array.of(1, Number.NaN, 1, 1) };
    for (let step = 0; step < 3; step += 1) {
      const [first, second] = [rowsOf(2), rowsOf(2)];
      parts.optimizer.step({ w: { indices: Uint32Array.of(4, step), values: first } });
      parts.optimizer.step({ w: { indices: Uint32Array.of(3, 4), values: second } });
      const half = (value: number): number => Math.fround(value / 2);
      const rows = [
        first.slice(0, 4).map((g, i) => half(Math.fround(g + second[4 + i]))),
        first.slice(4).map(half),
        second.slice(0, 4).map(half),
      ];
      whole.optimizer.step({
        w: {
          indices: Uint32Array.of(4, step, 3),
          values: Float32Array.from(rows.flatMap((row) => [...row])),
        },
      });
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
      parts.optimizer.step({ w: bad });
      parts.optimizer.step({ w: bad });
      expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
    }
    expect(parts.optimizer.skippedSteps).toBe(3);
  });

  test("rows are moved between two calls", async () => {
    const random = randomOf(seed + 2);
    const initial = randomArrays(random, ["w"]);
    const parts = start(backend(), adam(), initial, { accumulate: 2 });
    const whole = start(backend(), adam(), initial);
    const [first, second] = [randomArrays(random, ["w"]), randomArrays(random, ["w"])];
    const indices = Uint32Array.of(4, newRow, 1, 0);
    parts.optimizer.step(first);
    for (const one of [parts, whole]) one.optimizer.rows().remap(indices);
    const moved = Float32Array.from({ length: 16 }, (_, k) =>
      k >= 4 && k < 8 ? -0 : first.w[indices[Math.floor(k / 4)] * 4 + (k % 4)],
    );
    const now = { w: second.w.slice(0, 16) };
    parts.optimizer.step(now);
    whole.optimizer.step(mean([{ w: moved }, now]));
    expect(await bitsOf(parts)).toEqual(await bitsOf(whole));
  });

  test("a state in the middle of a step goes on in another optimizer", async () => {
    const random = randomOf(seed + 3);
    const initial = randomArrays(random);
    const spec = chain(clipByGlobalNorm(0.5), adamw(), ema(0.9));
    const options: OptimizerOptions = { accumulate: 3, lossScale: "dynamic" };
    const one = start(backend(), spec, initial, options);
    const calls = Array.from({ length: 12 }, () => randomArrays(random));
    for (const gradients of calls.slice(0, 5)) one.optimizer.step(gradients);
    const state = structuredClone(await one.optimizer.state());
    const now = await valuesOf(one);
    const other = start(backend(), spec, now, options);
    other.optimizer.restore(state);
    expect(other.optimizer.microSteps).toBe(2);
    for (const gradients of calls.slice(5)) {
      one.optimizer.step(gradients);
      other.optimizer.step(gradients);
      expect(await bitsOf(other)).toEqual(await bitsOf(one));
    }
    const without = start(backend(), spec, now);
    expect(() => without.optimizer.restore(state)).toThrow(/accumulate above 2/);
  });
});
