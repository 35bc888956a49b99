import { adam, adamw, chain, ema, warmup, type Optimizer, type Tensor } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { countingDevice } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { arrays, bad, bitsOf, names, start, type Run } from "./guarded-runs.js";
import { Random } from "./random.js";

const spec = chain(adamw({ learningRate: warmup(20, 0.1), weightDecay: 0.01 }), ema(0.9));

const good = arrays(new Random(seed + 19));

/** What `metrics()` rejects with. */
function errorOf(optimizer: Optimizer): Promise<unknown> {
  return optimizer.metrics().then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('nonFinite "throw"', () => {
  test.each([1, 2])(
    "the step and those after it change nothing, and metrics() rejects; accumulate %d",
    async (accumulate) => {
      const random = new Random(seed + 20);
      const backend = await newBackend();
      const initial = arrays(random);
      const options = { accumulate, lossScale: 8, nonFinite: "throw" } as const;
      const throwing = start(backend, spec, initial, options);
      const plain = start(backend, spec, initial, { accumulate, lossScale: 8 });
      const step = (i: number, isBad: boolean, isTaken: boolean): void => {
        for (let k = 0; k < accumulate; k += 1) {
          const gradients = isBad && k === 0 ? bad(random, i) : arrays(random);
          throwing.optimizer.step(gradients);
          if (isTaken) plain.optimizer.step(gradients);
        }
      };
      for (let i = 0; i < 3; i += 1) step(i, false, true);
      step(3, true, false);
      for (let i = 4; i < 7; i += 1) step(i, i === 5, false);
      expect(await errorOf(throwing.optimizer)).toMatchObject({
        code: "NON_FINITE",
        message: expect.stringContaining("step 4 is not finite: step 4 and the 3 after it"),
      });
      expect(throwing.optimizer.iterations).toBe(3);
      expect(await bitsOf(throwing)).toEqual(await bitsOf(plain));
      // It goes on, and stops again.
      for (let i = 7; i < 9; i += 1) step(i, false, true);
      expect(await bitsOf(throwing)).toEqual(await bitsOf(plain));
      step(9, true, false);
      await expect(throwing.optimizer.state()).rejects.toMatchObject({
        code: "NON_FINITE",
        message: expect.stringContaining("step 6 is not finite: step 6 was not taken"),
      });
      step(10, false, true);
      expect(await bitsOf(throwing)).toEqual(await bitsOf(plain));
      expect(throwing.optimizer.lossScale).toBe(8);
    },
  );

  test("one of two calls that wait rejects, and both leave the right counts", async () => {
    const random = new Random(seed + 21);
    const { optimizer } = start(await newBackend(), adam(), arrays(random), {
      nonFinite: "throw",
    });
    optimizer.step(arrays(random));
    optimizer.step(bad(random, 0));
    const first = errorOf(optimizer);
    optimizer.step(arrays(random));
    const second = errorOf(optimizer);
    expect([await first, await second]).toEqual([
      expect.objectContaining({ code: "NON_FINITE" }),
      undefined,
    ]);
    expect(optimizer.iterations).toBe(1);
    optimizer.step(arrays(random));
    await optimizer.metrics();
    expect(optimizer.iterations).toBe(2);
  });
});

describe("a reading of before the host heard of a stop", () => {
  const rowSteps = { sparse: "lazy", rowSteps: true } as const;

  test.each([{}, rowSteps])(
    "does not count steps that were left out since; %o",
    async (options) => {
      const random = new Random(seed + 26);
      const backend = await newBackend();
      const initial = arrays(random);
      const throwing = start(backend, adam(), initial, { nonFinite: "throw", ...options });
      const plain = start(backend, adam(), initial, options);
      const step = (isTaken: boolean): void => {
        const gradients = arrays(random);
        throwing.optimizer.step(gradients);
        if (isTaken) plain.optimizer.step(gradients);
      };
      step(true);
      throwing.optimizer.step(bad(random, 0));
      const first = errorOf(throwing.optimizer);
      step(false);
      const second = errorOf(throwing.optimizer);
      for (let i = 0; i < 3; i += 1) step(false);
      expect(await first).toMatchObject({ code: "NON_FINITE" });
      step(true);
      expect(await second).toBeUndefined();
      expect(throwing.optimizer.iterations).toBe(2);
      for (let i = 0; i < 3; i += 1) step(true);
      expect(await bitsOf(throwing)).toEqual(await bitsOf(plain));
      const [got, expected] = await Promise.all(
        [throwing, plain].map(async ({ optimizer }) => (await optimizer.state()).rowSteps),
      );
      expect(got).toEqual(expected);
    },
  );
});

describe("gradients that are given with clear", () => {
  test.each([{}, { lossScale: 4 }])(
    "keep their bits in a step that stops the device, and in those after it; %o",
    async (options) => {
      const random = new Random(seed + 27);
      const backend = await newBackend();
      const { optimizer } = start(backend, adam(), arrays(random), {
        nonFinite: "throw",
        ...options,
      });
      const gradients = Object.fromEntries(
        names.map((name) => [name, optimizer.gradient(name)]),
      ) as Record<string, Tensor>;
      const values = [bad(random, 0), arrays(random), arrays(random)];
      const left = [];
      for (const all of values) {
        for (const name of names) gradients[name].write(all[name]);
        optimizer.step(gradients, { clear: true });
        left.push(Promise.all(names.map((name) => gradients[name].read())));
      }
      expect(await errorOf(optimizer)).toMatchObject({ code: "NON_FINITE" });
      const given = values.map((all) => names.map((name) => all[name]));
      expect(await Promise.all(left)).toEqual(given);
      for (const name of names) gradients[name].write(values[1][name]);
      optimizer.step(gradients, { clear: true });
      expect(await gradients.s.read()).toEqual(Float32Array.of(0));
    },
  );
});

describe("scalars of steps of which the host has not heard", () => {
  /** Skipped steps of which the host does not hear, between two that are not, the last with another rate. */
  async function withSkips(skipped: number, isSet: boolean): Promise<readonly Run[]> {
    const random = new Random(seed + 22);
    const backend = await newBackend();
    const initial = arrays(random);
    const runs = [start(backend, adam(), initial), start(backend, adam(), initial, {})];
    const [skipping] = runs;
    for (const { optimizer } of runs) optimizer.step(good);
    const notFinite = bad(random, skipped);
    for (let i = 0; i < skipped; i += 1) skipping.optimizer.step(notFinite);
    if (isSet) for (const { optimizer } of runs) Object.assign(optimizer, { learningRate: 0.01 });
    skipping.optimizer.step(good);
    return runs;
  }

  // Without a rate that is set, the device keeps those of 2,048 steps.
  const kept: readonly (readonly [skipped: number, isSet: boolean])[] = [
    [255, true],
    [2047, false],
  ];

  test.each(kept)(
    "after %d skipped steps they are there; a rate is set: %s",
    async (skipped, isSet) => {
      const [skipping, plain] = await withSkips(skipped, isSet);
      plain.optimizer.step(good);
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
      expect(skipping.optimizer.skippedSteps).toBe(skipped);
    },
  );

  test.each(kept)(
    "after one more than %d, no step is taken; a rate is set: %s",
    async (skipped, isSet) => {
      const [skipping, plain] = await withSkips(skipped + 1, isSet);
      skipping.optimizer.step(good);
      expect(await errorOf(skipping.optimizer)).toMatchObject({
        code: "UNSUPPORTED",
        message: expect.stringContaining("had the scalars of step 2: step 2 and the 1 after"),
      });
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
      // It goes on.
      for (const { optimizer } of [skipping, plain]) optimizer.step(good);
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
      expect(skipping.optimizer.skippedSteps).toBe(skipped + 1);
    },
  );

  test("a rate that is set before each step of one encoder is that of this step", async () => {
    const random = new Random(seed + 23);
    const backend = await newBackend();
    const initial = arrays(random);
    const encoded = start(backend, adamw(), initial);
    const plain = start(backend, adamw(), initial);
    // The host does not know that these are skipped.
    for (let i = 0; i < 5; i += 1) encoded.optimizer.step(bad(random, i));
    const gradients = Object.fromEntries(
      names.map((name) => [name, encoded.optimizer.gradient(name)]),
    ) as Record<string, Tensor>;
    const values = arrays(random);
    for (const name of names) gradients[name].write(values[name]);
    const encoder = backend.device.createCommandEncoder();
    for (let i = 0; i < 6; i += 1) {
      const learningRate = 0.1 / (i + 1);
      Object.assign(encoded.optimizer, { learningRate });
      encoded.optimizer.encode(encoder, gradients);
      Object.assign(plain.optimizer, { learningRate });
      plain.optimizer.step(values);
    }
    backend.device.queue.submit([encoder.finish()]);
    expect(await bitsOf(encoded)).toEqual(await bitsOf(plain));
  });

  test("more of them than the device keeps: steps that are submitted too late are not taken", async () => {
    const random = new Random(seed + 24);
    const backend = await newBackend();
    const run = start(backend, adamw(), arrays(random));
    const gradients = Object.fromEntries(
      names.map((name) => [name, run.optimizer.gradient(name)]),
    ) as Record<string, Tensor>;
    for (const name of names) gradients[name].write(arrays(random)[name]);
    const before = await bitsOf(run);
    const encoder = backend.device.createCommandEncoder();
    for (let i = 0; i < 100; i += 1) {
      Object.assign(run.optimizer, { learningRate: 0.1 / (i + 1) });
      run.optimizer.encode(encoder, gradients);
    }
    backend.device.queue.submit([encoder.finish()]);
    expect(await errorOf(run.optimizer)).toMatchObject({ code: "UNSUPPORTED" });
    expect(await bitsOf(run)).toEqual(before);
  });

  test("a rate that is set before each step is one write of scalars", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const random = new Random(seed + 25);
    const { optimizer } = start(backend, adam(), arrays(random));
    const gradients = Object.fromEntries(
      names.map((name) => [name, optimizer.gradient(name)]),
    ) as Record<string, Tensor>;
    const step = (i: number): void => {
      Object.assign(optimizer, { learningRate: 0.1 / (i + 1) });
      optimizer.step(gradients);
    };
    for (let i = 0; i < 300; i += 1) step(i);
    const before = { ...counts };
    for (let i = 300; i < 310; i += 1) step(i);
    // The rows of 256 steps, in two parts where the ring ends, and where they are.
    expect(counts["writeBuffer"] - before["writeBuffer"]).toBeLessThanOrEqual(30);
    const made = Object.keys(counts).filter((key) => /^create(?!CommandEncoder)/.test(key));
    for (const key of made) expect([key, counts[key] - before[key]]).toEqual([key, 0]);
    expect(counts["mapAsync"]).toBeUndefined();
    backend.dispose();
  });
});
