import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  createOptimizer,
  ema,
  sgd,
  warmup,
  type Optimizer,
  type OptimizerOptions,
  type Tensor,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { countingDevice, type Counts } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { arrays, bad, bitsOf, names, start, type Arrays } from "./guarded-runs.js";
import { Random } from "./random.js";

const spec = chain(
  clipByGlobalNorm(0.5),
  adamw({ learningRate: warmup(5, cosineDecay(0.1, 50)), weightDecay: 0.01 }),
  ema(0.9),
);

describe("gradients that are not finite", () => {
  test(`a skipped step changes no bit, and the next is that of a run without it (seed ${seed})`, async () => {
    const random = new Random(seed + 1);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, spec, initial);
    const plain = start(backend, spec, initial);
    const count = cases(10_000, 100);
    for (let i = 0; i < count; i += 1) {
      const before = i % 10 === 0 ? await bitsOf(skipping) : undefined;
      skipping.optimizer.step(bad(random, i));
      if (before === undefined) continue;
      expect(await bitsOf(skipping)).toEqual(before);
      const gradients = arrays(random);
      skipping.optimizer.step(gradients);
      plain.optimizer.step(gradients);
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    }
    expect(await skipping.optimizer.metrics()).toMatchObject({
      skippedSteps: count,
      consecutiveSkips: count % 10 === 0 ? 9 : (count % 10) - 1,
    });
    expect(skipping.optimizer.iterations).toBe(plain.optimizer.iterations);
  });

  test("a group that was thawed after a skipped step has the count of before", async () => {
    const backend = await newBackend();
    const gradient = Float32Array.of(1, 1);
    const parameters = {
      a: backend.tensor([2], [1, 1]),
      b: backend.tensor([2], [1, 1]),
    };
    const groups = [{ match: "b" }];
    const optimizer = createOptimizer(adam(), parameters, { nonFinite: "skip", groups });
    optimizer.step({ a: gradient, b: gradient });
    for (const read of [() => optimizer.metrics(), () => optimizer.state()]) {
      await optimizer.metrics();
      optimizer.groups[0].frozen = true;
      optimizer.step({ a: Float32Array.of(Number.NaN, 1) });
      optimizer.groups[0].frozen = false;
      await read();
      expect([optimizer.iterations, optimizer.groups[0].iterations]).toEqual([1, 1]);
      const state = await optimizer.state();
      expect(state.groups.map(({ iterations }) => iterations)).toEqual([1, 1]);
    }
  });

  test("steps of which the host has not heard have the scalars of the device's own step", async () => {
    const random = new Random(seed + 2);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, spec, initial);
    const plain = start(backend, spec, initial);
    const both = [skipping.optimizer, plain.optimizer];
    for (let i = 0; i < 40; i += 1) {
      for (let k = random.below(3); k > 0; k -= 1) skipping.optimizer.step(bad(random, k));
      // Set live: the scalars of all steps that are possible change.
      const weightDecay = random.below(10) / 100;
      if (i % 7 === 6) for (const one of both) Object.assign(one, { weightDecay });
      const gradients = arrays(random);
      for (const one of both) one.step(gradients);
    }
    expect(skipping.optimizer.iterations).toBeGreaterThan(40);
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.iterations).toBe(40);
  });

  test("0 read-backs, and nothing is created after the first step", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const random = new Random(seed + 3);
    const { optimizer } = start(backend, adam(), arrays(random));
    const gradients = Object.fromEntries(
      names.map((name) => [name, optimizer.gradient(name)]),
    ) as Record<string, Tensor>;
    optimizer.step(gradients);
    const warm: Counts = { ...counts };
    for (let i = 0; i < 5; i += 1) {
      gradients.s.write([i % 2 === 0 ? Number.NaN : 1]);
      optimizer.step(gradients);
    }
    const since = (key: string): number => (counts[key] ?? 0) - (warm[key] ?? 0);
    const made = Object.keys(counts).filter((key) => /^create(?!CommandEncoder)/.test(key));
    for (const key of made) expect([key, since(key)]).toEqual([key, 0]);
    expect(since("mapAsync")).toBe(0);
    // The scalars of the step, and the gradient that the test writes; the check has no scalars.
    expect(since("writeBuffer")).toBe(10);
    expect(await optimizer.metrics()).toMatchObject({ skippedSteps: 3 });
    backend.dispose();
  });

  test("values in rows that a mask leaves out do not count", async () => {
    const random = new Random(seed + 4);
    const backend = await newBackend();
    const w = backend.tensor([5, 4], random.values(20));
    const optimizer = createOptimizer(adam(), { w }, { nonFinite: "skip" });
    const gradient = random.values(20);
    gradient[5] = Number.NaN;
    optimizer.step({ w: gradient }, { rows: Uint32Array.of(1, 0, 1, 1, 1) });
    optimizer.step({ w: gradient }, { rows: Uint32Array.of(1, 1, 1, 1, 1) });
    // A mask that leaves out all rows is no reason to skip.
    optimizer.step({ w: gradient }, { rows: new Uint32Array(5) });
    await optimizer.metrics();
    expect([optimizer.iterations, optimizer.skippedSteps]).toEqual([2, 1]);
  });

  test("several rules, with a norm over the tensors of all of them", async () => {
    const random = new Random(seed + 11);
    const backend = await newBackend();
    const initial = arrays(random);
    const rule = chain(clipByGlobalNorm(0.5), sgd({ learningRate: 0.1, momentum: 0.9 }));
    const groups = [{ match: "w", rule }];
    const clipped = chain(clipByGlobalNorm(0.5), adamw({ learningRate: warmup(5, 0.1) }));
    const skipping = start(backend, clipped, initial, { groups, lossScale: "dynamic" });
    const plain = start(backend, clipped, initial, { groups });
    for (let i = 0; i < 12; i += 1) {
      const { w, b, s } = i % 3 === 1 ? bad(random, i) : arrays(random);
      const times = (values: Float32Array, scale: number): Float32Array =>
        values.map((value) => value * scale);
      // Skips halve the scale, a power of two.
      const scale = 2 ** (15 - Math.floor((i + 1) / 3));
      skipping.optimizer.step({ w: times(w, scale), b: times(b, scale), s: times(s, scale) });
      if (i % 3 !== 1) plain.optimizer.step({ w, b, s });
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.skippedSteps).toBe(4);
  });

  test("rows are moved, a group is frozen, and a parameter is added", async () => {
    const random = new Random(seed + 13);
    const backend = await newBackend();
    const initial = arrays(random);
    const options = { groups: [{ match: "b" }] };
    const skipping = start(backend, adamw(), initial, { ...options, lossScale: 16 });
    const plain = start(backend, adamw(), initial, { ...options, lossScale: 16 });
    const both = [skipping.optimizer, plain.optimizer];
    const rounds: ((optimizer: Optimizer) => void)[] = [
      () => {},
      (optimizer) => optimizer.rows("w").remap(Uint32Array.of(4, 2, 0)),
      (optimizer) => {
        optimizer.groups[0].frozen = true;
      },
      (optimizer) => optimizer.add({ x: backend.tensor([3], [1, 2, 3]) }),
    ];
    for (const [round, change] of rounds.entries()) {
      // A group has a step count of its own, which must be certain before it is frozen.
      await Promise.all(both.map((one) => one.metrics()));
      for (const one of both) change(one);
      const w = random.values(round === 0 ? 20 : 12);
      const others = { b: random.values(4), s: random.values(1) };
      const x = round === 3 ? { x: random.values(3) } : {};
      for (let i = 0; i < 3; i += 1) {
        const s = Float32Array.of(i === 1 ? Infinity : 1);
        skipping.optimizer.step({ w, ...others, ...x, s });
        if (i !== 1) plain.optimizer.step({ w, ...others, ...x, s });
      }
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.skippedSteps).toBe(4);
  });

  test("steps that are encoded and submitted later", async () => {
    const random = new Random(seed + 5);
    const backend = await newBackend();
    const initial = arrays(random);
    const encoded = start(backend, spec, initial);
    const plain = start(backend, spec, initial);
    const gradients = Object.fromEntries(
      names.map((name) => [name, encoded.optimizer.gradient(name)]),
    ) as Record<string, Tensor>;
    for (let i = 0; i < 9; i += 1) {
      const isBad = i % 3 === 1;
      const values = isBad ? bad(random, i) : arrays(random);
      for (const name of names) gradients[name].write(values[name]);
      const encoder = backend.device.createCommandEncoder();
      encoded.optimizer.encode(encoder, gradients);
      // A second step with the same gradients in the same encoder.
      encoded.optimizer.encode(encoder, gradients);
      backend.device.queue.submit([encoder.finish()]);
      if (!isBad) for (let k = 0; k < 2; k += 1) plain.optimizer.step(values);
    }
    expect(await bitsOf(encoded)).toEqual(await bitsOf(plain));
    expect(encoded.optimizer.skippedSteps).toBe(6);
  });

  test("accumulated gradients: the step of all calls is dropped", async () => {
    const random = new Random(seed + 6);
    const backend = await newBackend();
    const initial = arrays(random);
    const skipping = start(backend, spec, initial, { nonFinite: "skip", accumulate: 2 });
    const plain = start(backend, spec, initial, { accumulate: 2 });
    for (let i = 0; i < 8; i += 1) {
      const calls = [arrays(random), i % 3 === 1 ? bad(random, i) : arrays(random)];
      for (const gradients of calls) skipping.optimizer.step(gradients);
      if (i % 3 !== 1) for (const gradients of calls) plain.optimizer.step(gradients);
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.skippedSteps).toBe(3);
  });

  test("a state goes on in another optimizer, skips and loss scale included", async () => {
    const random = new Random(seed + 7);
    const backend = await newBackend();
    const options: OptimizerOptions = { lossScale: { initial: 8, growthInterval: 3 } };
    const one = start(backend, spec, arrays(random), options);
    for (let i = 0; i < 7; i += 1) one.optimizer.step(i > 4 ? bad(random, i) : arrays(random));
    const state = structuredClone(await one.optimizer.state());
    expect(state).toMatchObject({
      iterations: 5,
      control: { skippedSteps: 2, consecutiveSkips: 2, lossScale: { scale: 4, goodSteps: 0 } },
    });
    const [w, b, s] = await Promise.all(names.map((name) => one.parameters[name].read()));
    const other = start(backend, spec, { w, b, s } as Arrays, options);
    other.optimizer.restore(state);
    for (let i = 0; i < 5; i += 1) {
      const gradients = i === 0 ? bad(random, i) : arrays(random);
      for (const { optimizer } of [one, other]) optimizer.step(gradients);
    }
    expect(await bitsOf(other)).toEqual(await bitsOf(one));
    expect(other.optimizer.lossScale).toBe(one.optimizer.lossScale);
    expect(other.optimizer.skippedSteps).toBe(3);
  });
});

describe("loss scale", () => {
  test.each([1, 3])("gradients are divided by it, with accumulate %d", async (accumulate) => {
    const random = new Random(seed + 8);
    const backend = await newBackend();
    const initial = arrays(random);
    const scaled = start(backend, adamw(), initial, { lossScale: 1024, accumulate });
    const plain = start(backend, adamw(), initial, { accumulate });
    for (let call = 0; call < 6; call += 1) {
      const gradients = arrays(random);
      plain.optimizer.step(gradients);
      const times = (values: Float32Array): Float32Array => values.map((value) => value * 1024);
      const { w, b, s } = gradients;
      scaled.optimizer.step({ w: times(w), b: times(b), s: times(s) });
    }
    expect(await bitsOf(scaled)).toEqual(await bitsOf(plain));
  });

  test("it doubles after steps in a row, and halves at an overflow, in the tensor and after metrics()", async () => {
    const random = new Random(seed + 9);
    const { optimizer } = start(await newBackend(), sgd(), arrays(random), {
      lossScale: { initial: 8, growthInterval: 3 },
    });
    const good = arrays(random);
    const overflown = { ...good, s: Float32Array.of(Infinity) };
    const scales: Promise<Float32Array | Float64Array>[] = [];
    for (const isGood of [1, 1, 0, 1, 1, 1, 1, 0, 0, 1]) {
      optimizer.step(isGood === 1 ? good : overflown);
      scales.push(optimizer.lossScaleTensor!.read());
    }
    // torch.amp.GradScaler(init_scale=8, growth_interval=3) gives the same sequence.
    expect((await Promise.all(scales)).map(([scale]) => scale)).toEqual([
      8, 8, 4, 4, 4, 8, 8, 4, 2, 2,
    ]);
    expect(optimizer.lossScale).toBe(8);
    expect(await optimizer.metrics()).toMatchObject({ lossScale: 2, skippedSteps: 3 });
    expect([optimizer.lossScale, optimizer.iterations, optimizer.skippedSteps]).toEqual([2, 7, 3]);
  });
});

describe("what the device cannot decide is refused", () => {
  test("frozen, while the step count is uncertain", async () => {
    const random = new Random(seed + 14);
    const groups = [{ match: "w" }];
    const run = start(await newBackend(), adam(), arrays(random), { nonFinite: "skip", groups });
    run.optimizer.step(bad(random, 0));
    run.optimizer.groups[0].frozen = true;
    expect(() => run.optimizer.step(arrays(random))).toThrow("call await optimizer.metrics()");
    await run.optimizer.metrics();
    run.optimizer.step(arrays(random));
    expect(run.optimizer.iterations).toBe(1);
  });
});
