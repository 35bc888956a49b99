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
import { reference } from "@gradstep/core/reference";
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
    ["several calls", clipped, { accumulate: 3 }],
    ["several calls and a loss scale", nadam(), { accumulate: 2, lossScale: 4 }],
    ["a rule of their own", clipped, { groups: [{ match: "b", rule: nadam(), every: 3 }] }],
  ])("are due by the steps that were taken; %s", async (_, rule, options) => {
    const random = new Random(seed + 60);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, rule, initial, { nonFinite: "skip", groups, ...options });
    const plain = start(backend, rule, initial, { groups, ...options });
    const { accumulate = 1 } = options;
    // The counts may be read between two calls of a step.
    const callOfReading = random.below(accumulate);
    for (let i = 0; i < cases(60, 24); i += 1) {
      for (let k = random.below(3); k > 0; k -= 1)
        for (let call = 0; call < accumulate; call += 1)
          skipping.optimizer.step(call === k % accumulate ? bad(random, k + i) : arrays(random));
      for (let call = 0; call < accumulate; call += 1) {
        const gradients = arrays(random);
        for (const { optimizer } of [skipping, plain]) optimizer.step(gradients);
        if (i % 11 !== 10 || call !== callOfReading) continue;
        // Steps are taken while the counts are being read.
        const reading = skipping.optimizer.metrics();
        for (let next = 0; next < accumulate; next += 1) {
          const following = arrays(random);
          for (const { optimizer } of [skipping, plain]) optimizer.step(following);
        }
        await reading;
      }
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.iterations).toBe(plain.optimizer.iterations);
    expect(skipping.optimizer.skippedSteps).toBeGreaterThan(10);
  });

  test("with a loss scale, a gradient is not used in a later step that has none", async () => {
    const random = new Random(seed + 67);
    const backend = await newBackend();
    const initial = arrays(random);
    const scaled = start(backend, adam(), initial, { lossScale: 4, groups });
    const plain = start(backend, adam(), initial, { groups });
    for (let i = 0; i < 24; i += 1) {
      const all = arrays(random);
      const given = names.filter((name) => name === "w" || random.below(2) === 0);
      const times = (factor: number): Partial<Arrays> =>
        Object.fromEntries(given.map((name) => [name, all[name].map((one) => one * factor)]));
      scaled.optimizer.step(times(4));
      plain.optimizer.step(times(1));
    }
    expect(await bitsOf(scaled)).toEqual(await bitsOf(plain));
    expect((await scaled.optimizer.state()).control!.accumulated).toEqual({});
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

  test.each<OptimizerOptions>([{}, { lossScale: 4 }])(
    "gradients in tensors are cleared if their group takes part; %o",
    async (options) => {
      const random = new Random(seed + 65);
      const initial = arrays(random);
      const [onDevice, onHost] = [await newBackend(), reference()].map((backend) =>
        start(backend, adam(), initial, { nonFinite: "skip", groups, ...options }),
      );
      for (let i = 0; i < 20; i += 1) {
        const values = i % 4 === 1 ? bad(random, i) : arrays(random);
        const cleared = [onDevice, onHost].map(async ({ optimizer }) => {
          const gradients = {
            w: values.w.slice(),
            b: optimizer.gradient("b"),
            s: optimizer.gradient("s"),
          };
          for (const name of ["b", "s"] as const) gradients[name].write(values[name]);
          optimizer.step(gradients, { clear: true });
          const read = [gradients.b.read(), gradients.s.read()];
          return [gradients.w, ...(await Promise.all(read))];
        });
        const [got, expected] = await Promise.all(cleared);
        expect(got, `step ${i}`).toEqual(expected);
      }
      await onDevice.optimizer.metrics();
      expect(onDevice.optimizer.iterations).toBe(onHost.optimizer.iterations);
    },
  );

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
    run.optimizer.groups[0].every = 3;
    const clear = () => run.optimizer.step(arrays(random), { clear: true });
    expect(clear).toThrow(refused('an array as the gradient of "s"'));
    await run.optimizer.metrics();
    run.optimizer.groups[0].every = 4;
    clear();
    await run.optimizer.metrics();
    expect(run.optimizer.iterations).toBe(2);
  });

  test("clear with several calls is refused while it is not known which groups take part", async () => {
    const random = new Random(seed + 66);
    const options = { nonFinite: "skip", groups, accumulate: 2 } as const;
    const run = start(await newBackend(), adam(), arrays(random), options);
    const calls = (...all: Parameters<typeof run.optimizer.step>[1][]): void => {
      for (const one of all) run.optimizer.step(arrays(random), one);
    };
    calls({}, {});
    expect(() => calls({ clear: true })).toThrow(
      expect.objectContaining({
        code: "UNSUPPORTED",
        message: expect.stringContaining("clear: true with accumulate"),
      }),
    );
    await run.optimizer.metrics();
    calls({ clear: true }, { clear: true });
    await run.optimizer.metrics();
    expect(run.optimizer.iterations).toBe(2);
  });
});
