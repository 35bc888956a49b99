import {
  adam,
  adamw,
  newRow,
  warmup,
  type OptimizerOptions,
  type OptimizerSpec,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { countingDevice } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { arrays, bitsOf, start, type Run } from "./guarded-runs.js";
import { Random } from "./random.js";

const rowSteps = { sparse: "lazy", rowSteps: true } as const;
const options = { groups: [{ match: "w", ...rowSteps }] };

/** A sparse gradient of `w`, with duplicates, and a value that is not finite if wanted. */
function sparse(random: Random, isBad: boolean) {
  const indices = Uint32Array.from({ length: 1 + random.below(5) }, () => random.below(5));
  const values = Float32Array.from(random.values(4 * indices.length));
  if (isBad) values[random.below(values.length)] = [Number.NaN, -Infinity][random.below(2)];
  return { indices, values };
}

async function allOf(run: Run): Promise<unknown> {
  const { rowSteps: counts } = await run.optimizer.state();
  return [await bitsOf(run), counts];
}

const rules: readonly (readonly [string, OptimizerSpec, OptimizerOptions])[] = [
  ["adam", adam({ learningRate: 0.1 }), {}],
  ["amsgrad", adam({ learningRate: 0.1, amsgrad: true }), {}],
  ["a schedule", adamw({ learningRate: warmup(20, 0.1) }), {}],
  ["a loss scale", adamw({ learningRate: warmup(20, 0.1) }), { lossScale: 4 }],
  ["several calls", adamw({ learningRate: warmup(20, 0.1) }), { accumulate: 2 }],
  ["every", adam(), { groups: [...options.groups, { match: "b", every: 3 }] }],
];

const rulesWithEvery: typeof rules = [
  ["adam", adam({ learningRate: 0.1 }), {}],
  ["a schedule and a loss scale", adamw({ learningRate: warmup(20, 0.1) }), { lossScale: 4 }],
  ["several calls", adam({ learningRate: 0.1 }), { accumulate: 2 }],
];

describe("rows that count their own steps, while the device decides which steps are taken", () => {
  test.each(rules)("a skipped step does not count; %s", async (_, rule, more) => {
    const random = new Random(seed + 70);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, rule, initial, { nonFinite: "skip", ...options, ...more });
    const plain = start(backend, rule, initial, { ...options, ...more });
    const calls = more.accumulate ?? 1;
    const take = (isBad: boolean): void => {
      for (let call = 0; call < calls; call += 1) {
        const { b, s } = arrays(random);
        const gradients = { w: sparse(random, isBad && call === 0), b, s };
        skipping.optimizer.step(gradients);
        if (!isBad) plain.optimizer.step(gradients);
      }
    };
    for (let i = 0; i < cases(60, 24); i += 1) {
      for (let k = random.below(3); k > 0; k -= 1) take(true);
      take(false);
      if (i % 7 !== 6) continue;
      // Steps are taken while the counts are being read, twice at once.
      const readings = [skipping.optimizer.metrics()];
      take(true);
      take(false);
      readings.push(skipping.optimizer.metrics());
      take(false);
      await Promise.all(readings);
    }
    expect(await allOf(skipping)).toEqual(await allOf(plain));
    expect(skipping.optimizer.skippedSteps).toBeGreaterThan(10);
  });

  test("rows that are moved, reset or restored while the counts are uncertain", async () => {
    const random = new Random(seed + 71);
    const backend = await newBackend();
    const initial = arrays(random);
    const all = { ...rowSteps };
    const skipping = start(backend, adam(), initial, { nonFinite: "skip", ...all });
    const plain = start(backend, adam(), initial, all);
    const both = [skipping, plain].map(({ optimizer }) => optimizer);
    const take = (isBad: boolean): void => {
      const gradients = { w: sparse(random, isBad) };
      skipping.optimizer.step(gradients);
      if (!isBad) plain.optimizer.step(gradients);
    };
    const change = async (i: number): Promise<void> => {
      if (i % 5 === 1)
        for (const one of both) one.reset("w", { rows: Uint32Array.of(1, 0, 0, 1, 0) });
      if (i % 5 === 2) {
        const resetRows = Uint32Array.of(0, 0, 1, 0, 0);
        const indices = Uint32Array.of(3, newRow, 3, 0, 4);
        for (const one of both) one.rows("w").remap(indices, { resetRows });
      }
      if (i % 5 !== 3) return;
      const state = structuredClone(await skipping.optimizer.state());
      expect(state.rowSteps).toEqual((await plain.optimizer.state()).rowSteps);
      for (let k = 0; k < 3; k += 1) take(k === 1);
      // What was asked before does not correct what is restored.
      const reading = skipping.optimizer.metrics();
      for (const one of both) one.restore(state);
      take(true);
      take(false);
      await reading;
    };
    for (let i = 0; i < cases(60, 25); i += 1) {
      for (let k = random.below(3); k > 0; k -= 1) take(true);
      take(false);
      const reading = i % 2 === 1 ? skipping.optimizer.metrics() : undefined;
      await change(i);
      take(i % 3 === 0);
      await reading;
    }
    expect(await allOf(skipping)).toEqual(await allOf(plain));
  });

  test("more skipped steps than there are scalars for stop the device, until the host hears of it", async () => {
    const random = new Random(seed + 72);
    const backend = await newBackend();
    const initial = arrays(random);
    const rule = adam({ learningRate: warmup(20, 0.1) });
    const skipping = start(backend, rule, initial, { nonFinite: "skip", ...rowSteps });
    const plain = start(backend, rule, initial, rowSteps);
    const good = { w: sparse(random, false) };
    for (let i = 0; i < 20; i += 1) skipping.optimizer.step({ w: sparse(random, true) });
    skipping.optimizer.step(good);
    await expect(skipping.optimizer.metrics()).rejects.toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining("It can skip at least 15 steps"),
      }),
    );
    for (const { optimizer } of [skipping, plain]) optimizer.step(good);
    expect(await allOf(skipping)).toEqual(await allOf(plain));
  });

  test("after the first steps, nothing is created and nothing is read", async () => {
    const random = new Random(seed + 73);
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const run = start(backend, adam(), arrays(random), { nonFinite: "skip", ...rowSteps });
    const created = (): unknown =>
      Object.entries(counts).filter(([key]) => /^create(?!CommandEncoder)|mapAsync/.test(key));
    let warm: unknown;
    // The memory of gradients grows with their rows.
    const indices = Uint32Array.of(0, 1, 2, 3, 4);
    run.optimizer.step({ w: { indices, values: Float32Array.from(random.values(20)) } });
    for (let i = 0; i < 20; i += 1) {
      run.optimizer.step({ w: sparse(random, i % 4 === 1) });
      if (i === 4) warm = structuredClone(created());
    }
    expect(created()).toEqual(warm);
    backend.dispose();
  });

  test("encoding is refused, since the host lists the rows", async () => {
    const backend = await newBackend();
    const { optimizer } = start(backend, adam(), arrays(new Random(1)), rowSteps);
    const encoder = (await sharedDevice()).createCommandEncoder();
    const w = optimizer.gradient("w");
    expect(() => optimizer.encode(encoder, { w })).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining("step()") }),
    );
  });

  test.each(rulesWithEvery)(
    "in a group with every, by the steps that were taken; %s",
    async (_, rule, more) => {
      const random = new Random(seed + 74);
      const backend = await newBackend();
      const initial = arrays(random);
      const groups = [
        { match: "w", ...rowSteps, every: 3 },
        { match: "b", every: 2 },
      ];
      const skipping = start(backend, rule, initial, { nonFinite: "skip", groups, ...more });
      const plain = start(backend, rule, initial, { groups, ...more });
      const take = (isBad: boolean): void => {
        for (let call = more.accumulate ?? 1; call > 0; call -= 1) {
          const { b, s } = arrays(random);
          if (isBad && call === 1) s[0] = Number.NaN;
          const gradients = { ...(random.below(4) > 0 && { w: sparse(random, false) }), b, s };
          skipping.optimizer.step(gradients);
          if (!isBad) plain.optimizer.step(gradients);
        }
      };
      for (let i = 0; i < cases(80, 32); i += 1) {
        for (let k = random.below(3); k > 0; k -= 1) take(true);
        take(false);
        if (i % 6 !== 5) continue;
        const readings = [skipping.optimizer.metrics()];
        take(true);
        take(false);
        readings.push(skipping.optimizer.metrics());
        take(false);
        await Promise.all(readings);
        if (i % 12 !== 11) continue;
        await Promise.all([skipping, plain].map(({ optimizer }) => optimizer.metrics()));
        const every = 1 + random.below(3);
        for (const { optimizer } of [skipping, plain]) optimizer.groups[0].every = every;
      }
      expect(await allOf(skipping)).toEqual(await allOf(plain));
      expect(skipping.optimizer.skippedSteps).toBeGreaterThan(10);
    },
  );

  test("in a group with every, a reading is due after 63 steps of the group", async () => {
    const random = new Random(seed + 75);
    const backend = await newBackend();
    const groups = [{ match: "w", ...rowSteps, every: 2 }];
    const initial = arrays(random);
    const skipping = start(backend, adam(), initial, { nonFinite: "skip", groups });
    const plain = start(backend, adam(), initial, { groups });
    const step = (): void => {
      const gradients = { w: sparse(random, false), s: arrays(random).s };
      skipping.optimizer.step(gradients);
      plain.optimizer.step(gradients);
    };
    for (let i = 0; i < 128; i += 1) step();
    const one = { w: sparse(random, false) };
    expect(() => skipping.optimizer.step(one)).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining("call await optimizer.metrics() before"),
      }),
    );
    await skipping.optimizer.metrics();
    step();
    step();
    expect(await allOf(skipping)).toEqual(await allOf(plain));
  });
});
