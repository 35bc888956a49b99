import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  nadam,
  warmup,
  type OptimizerOptions,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { countingDevice } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { arrays, bitsOf, names, start, type Arrays } from "./guarded-runs.js";
import { Random } from "./random.js";

const groups = [
  { match: "b", every: 3 },
  { match: "s", every: 2 },
];

const clipped = chain(clipByGlobalNorm(0.5), adamw({ learningRate: warmup(8, 0.1) }));

/** Gradients with a value that is not finite, in the parameter that every step updates. */
function bad(random: Random, i: number): Arrays {
  const all = arrays(random);
  all.w[random.below(20)] = [Number.NaN, Infinity, -Infinity][i % 3];
  return all;
}

describe("groups that are updated every few steps", () => {
  test.each<readonly [string, OptimizerSpec, OptimizerOptions]>([
    ["clipped adamw with a schedule", clipped, {}],
    ["nadam", nadam(), {}],
    ["loss scale", adamw(), { lossScale: 4 }],
    ["a rule of their own", clipped, { groups: [{ match: "b", rule: nadam(), every: 3 }] }],
  ])("are due by the steps that were taken; %s", async (_, rule, options) => {
    const random = new Random(seed + 60);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, rule, initial, { nonFinite: "skip", groups, ...options });
    const plain = start(backend, rule, initial, { groups, ...options });
    for (let i = 0; i < cases(60, 24); i += 1) {
      for (let k = random.below(3); k > 0; k -= 1) skipping.optimizer.step(bad(random, k + i));
      const gradients = arrays(random);
      for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
      if (i % 11 !== 10) continue;
      // Steps are taken while the counts are being read.
      const reading = skipping.optimizer.metrics();
      const next = arrays(random);
      for (const { optimizer } of [skipping, plain]) optimizer.step(next);
      await reading;
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.iterations).toBe(plain.optimizer.iterations);
    expect(skipping.optimizer.skippedSteps).toBeGreaterThan(10);
  });

  test("a gradient that is not finite does not matter where its group is not due", async () => {
    const random = new Random(seed + 61);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, adam(), initial, { nonFinite: "skip", groups });
    const plain = start(backend, adam(), initial, { groups });
    for (let i = 1; i <= 12; i += 1) {
      const gradients = arrays(random);
      if (i % 3 !== 0) gradients.b[0] = Number.NaN;
      for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.skippedSteps).toBe(0);
    // When it is due, it does.
    const gradients = arrays(random);
    gradients.b[0] = Number.NaN;
    for (let i = 0; i < 4; i += 1) skipping.optimizer.step(gradients);
    await skipping.optimizer.metrics();
    expect([skipping.optimizer.skippedSteps, skipping.optimizer.iterations]).toEqual([2, 14]);
  });

  test("encoded steps: nothing is read, or created once each kind of step has occurred", async () => {
    const random = new Random(seed + 62);
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const initial = arrays(random);
    const encoded = start(backend, clipped, initial, { nonFinite: "skip", groups });
    const plain = start(backend, clipped, initial, { groups });
    const gradients = Object.fromEntries(
      names.map((name) => [name, encoded.optimizer.gradient(name)]),
    ) as Record<string, Tensor>;
    const created = (): unknown =>
      Object.entries(counts).filter(([key]) => /^create(?!CommandEncoder)|mapAsync/.test(key));
    let warm: unknown;
    for (let i = 0; i < 30; i += 1) {
      const isBad = i % 4 === 1;
      const values = isBad ? bad(random, i) : arrays(random);
      for (const name of names) gradients[name].write(values[name]);
      const encoder = device.createCommandEncoder();
      encoded.optimizer.encode(encoder, gradients);
      device.queue.submit([encoder.finish()]);
      if (!isBad) plain.optimizer.step(values);
      if (i === 17) warm = structuredClone(created());
    }
    expect(created()).toEqual(warm);
    expect(await bitsOf(encoded)).toEqual(await bitsOf(plain));
    backend.dispose();
  });

  test("a gradient of a group that may be due is refused before anything changes", async () => {
    const random = new Random(seed + 64);
    const backend = await newBackend();
    const run = start(backend, adam(), arrays(random), { nonFinite: "skip", groups });
    for (let i = 0; i < 3; i += 1) run.optimizer.step(arrays(random));
    const before = await Promise.all(names.map((name) => run.parameters[name].read()));
    const gradients = { ...arrays(random), b: new Float32Array(3) };
    expect(() => run.optimizer.step(gradients)).toThrow(
      expect.objectContaining({ code: "LENGTH_MISMATCH" }),
    );
    expect(await Promise.all(names.map((name) => run.parameters[name].read()))).toEqual(before);
    await run.optimizer.metrics();
    expect(run.optimizer.iterations).toBe(3);
  });

  test("every and clear are refused where the device's step is not known; then nothing changes", async () => {
    const random = new Random(seed + 63);
    const options = { nonFinite: "skip", groups } as const;
    const run = start(await newBackend(), adam(), arrays(random), options);
    run.optimizer.step(arrays(random));
    run.optimizer.groups[0].every = 4;
    const refused = (message: string) =>
      expect.objectContaining({ code: "UNSUPPORTED", message: expect.stringContaining(message) });
    expect(() => run.optimizer.step(arrays(random))).toThrow(refused("every of a group is now 4"));
    expect(() => run.optimizer.step(arrays(random), { clear: true })).toThrow(refused("clear"));
    await run.optimizer.metrics();
    run.optimizer.step(arrays(random));
    await run.optimizer.metrics();
    expect(run.optimizer.iterations).toBe(2);
  });
});
