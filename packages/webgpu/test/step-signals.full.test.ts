import {
  adafactor,
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ftrl,
  lamb,
  muon,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { Random } from "./random.js";

const shapes = { w: [7, 5], b: [3], s: [] } as const;
const names = ["w", "b", "s"] as const;
type Arrays = Record<(typeof names)[number], Float32Array>;

function arrays(random: Random, factor = 1): Arrays {
  const values = (length: number): Float32Array =>
    Float32Array.from({ length }, () => factor * (2 * random.unit() - 1));
  return { w: values(35), b: values(3), s: values(1) };
}

interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

function start(backend: WebGpu, spec: OptimizerSpec, options: OptimizerOptions = {}): Run {
  const initial = arrays(new Random(5));
  const parameters = Object.fromEntries(
    names.map((name) => [name, backend.tensor(shapes[name], initial[name])]),
  );
  return { optimizer: createOptimizer(spec, parameters, options), parameters };
}

function bits(values: ArrayLike<number>): readonly number[] {
  return [...new Uint32Array(Float32Array.from(values).buffer)];
}

/** All bits that a step may change. */
async function bitsOf({ optimizer, parameters }: Run): Promise<unknown> {
  const state = await optimizer.state();
  const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
  return {
    slots: Object.values(state.slots).flatMap((slots) => Object.values(slots).map(bits)),
    values: values.map(bits),
  };
}

/** A scale, a flag and a rate in one buffer, at offsets that no binding can start at. */
function signalsOn(device: GPUDevice, backend: WebGpu) {
  const buffer = bufferOf(device, new Float32Array(128));
  const wrap = (offset: number, dtype: "f32" | "u32"): Tensor =>
    backend.wrap(buffer, { shape: [1], offset, dtype });
  return {
    buffer,
    scale: wrap(65, "f32"),
    skip: wrap(66, "u32"),
    rate: wrap(67, "f32"),
    otherRate: wrap(3, "f32"),
    write: (offset: number, value: number, isInteger = false): void =>
      device.queue.writeBuffer(
        buffer,
        4 * offset,
        isInteger ? Uint32Array.of(value) : Float32Array.of(value),
      ),
  };
}

const scaledBy = (all: Arrays, scale: number): Arrays =>
  Object.fromEntries(
    names.map((name) => [name, all[name].map((value) => Math.fround(value * scale))]),
  ) as Arrays;

const steps = 4;
const countingRows: OptimizerOptions = { groups: [{ match: "w", sparse: "lazy", rowSteps: true }] };

describe("scale on the device", () => {
  const specs: Readonly<Record<string, OptimizerSpec>> = {
    adam: adam(),
    "a chain of passes": chain(clipByGlobalNorm({ globalClipNorm: 0.5 }), adamw()),
    muon: muon(),
    adafactor: adafactor(),
    lamb: lamb(),
  };

  test.each(Object.entries(specs))("%s: the bits of scaled gradients", async (_, spec) => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const runs = [0, 1, 2].map(() => start(backend, spec));
    const random = new Random(1);
    const rows = { w: Uint32Array.of(1, 0, 1, 1, 0, 1, 0) };
    const hasMasks = spec.rule.name === "adam";
    for (let step = 0; step < steps; step += 1) {
      // Powers of two, so that every product is exact.
      const scale = 2 ** (step - 3);
      const gradients = arrays(random);
      const masks: StepOptions =
        step % 2 === 0 || !hasMasks ? {} : { rows, unselectedRows: "zero" };
      signals.write(65, scale);
      runs[0].optimizer.step(gradients, { scale: signals.scale, ...masks });
      runs[1].optimizer.step(gradients, { scale, ...masks });
      runs[2].optimizer.step(scaledBy(gradients, scale), masks);
      const [onDevice, onHost, scaled] = await Promise.all(runs.map(bitsOf));
      expect(onDevice).toEqual(scaled);
      expect(onHost).toEqual(scaled);
    }
  });

  test("any scale, within the bound of one product and one difference", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const { optimizer, parameters } = start(backend, sgd({ learningRate: 1 }));
    const random = new Random(2);
    const u = 2 ** -24;
    for (const scale of [0.3, -7.7, 1e-20, 1e20]) {
      const before = await parameters.w.read();
      const gradients = arrays(random);
      signals.write(65, scale);
      optimizer.step(gradients, { scale: signals.scale });
      const after = await parameters.w.read();
      before.forEach((p, i) => {
        const product = gradients.w[i] * Math.fround(scale);
        const expected = p - product;
        // A product, its product with the rate 1, and a difference, each of less than one ulp.
        const bound = 2 * u * (2 * Math.abs(product) + Math.abs(expected)) * (1 + 64 * u);
        expect(Math.abs(after[i] - expected)).toBeLessThanOrEqual(bound);
      });
    }
  });

  test("with accumulate, lossScale and nonFinite", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const options: readonly OptimizerOptions[] = [
      { accumulate: 2 },
      { lossScale: 8, nonFinite: "propagate" },
      { nonFinite: "skip" },
      { lossScale: 8 },
      { accumulate: 2, nonFinite: "skip" },
    ];
    for (const option of options) {
      const runs = [0, 1, 2].map(() => start(backend, adam(), option));
      const random = new Random(3);
      for (let step = 0; step < 6; step += 1) {
        const scale = 2 ** (step - 4);
        const gradients = arrays(random);
        if (step === 2) gradients.b[1] = option.nonFinite === "skip" ? Number.NaN : 3;
        signals.write(65, scale);
        runs[0].optimizer.step(gradients, { scale: signals.scale });
        runs[1].optimizer.step(gradients, { scale });
        runs[2].optimizer.step(scaledBy(gradients, scale));
      }
      const [onDevice, onHost, scaled] = await Promise.all(runs.map(bitsOf));
      expect(onDevice).toEqual(scaled);
      expect(onHost).toEqual(scaled);
      expect(runs.map(({ optimizer }) => optimizer.skippedSteps)).toEqual(
        Array.from({ length: 3 }, () => runs[2].optimizer.skippedSteps),
      );
    }
  });

  test("with laid-out gradients, chain rules, and lists of rows", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const random = new Random(4);
    const integers = Int32Array.from({ length: 4 * 8 }, () => random.below(2000) - 1000);
    const make = (scale: number) => {
      const buffer = bufferOf(device, integers);
      const gradient = backend.wrap(buffer, {
        shape: [4, 3],
        offset: 2,
        rowStride: 8,
        dtype: "i32",
        scale,
      });
      const w = backend.tensor([4, 3], arrays(new Random(6)).w.subarray(0, 12));
      const activatedGradients = { w: "normalize" } as const;
      return { w, gradient, optimizer: createOptimizer(adam(), { w }, { activatedGradients }) };
    };
    const [one, other] = [make(2 ** -8), make(2 ** -10)];
    signals.write(65, 0.25);
    for (let step = 0; step < 3; step += 1) {
      one.optimizer.step({ w: one.gradient }, { scale: signals.scale });
      other.optimizer.step({ w: other.gradient });
    }
    expect(bits(await one.w.read())).toEqual(bits(await other.w.read()));
    const lists = [0, 1].map(() => start(backend, adam(), countingRows));
    const indices = Uint32Array.of(6, 2, 6);
    const values = arrays(random).w.subarray(0, 15);
    lists[0].optimizer.step({ w: { indices, values } }, { scale: signals.scale });
    lists[1].optimizer.step({ w: { indices, values: values.map((value) => value / 4) } });
    expect(await bitsOf(lists[0])).toEqual(await bitsOf(lists[1]));
  });
});

describe("skip on the device", () => {
  test("changes nothing if it is not 0, and counts as a step", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    for (const spec of [adam(), chain(clipByGlobalNorm(), adamw()), muon()]) {
      const run = start(backend, spec);
      // Without the gradients of skipped steps, but with their number.
      const other = start(backend, spec);
      const random = new Random(7);
      for (let step = 0; step < 6; step += 1) {
        const isSkipped = step === 1 || step === 4;
        const gradients = arrays(random);
        const before = await bitsOf(run);
        signals.write(66, isSkipped ? 2 ** 31 : 0, true);
        const encoder = device.createCommandEncoder();
        const tensors = Object.fromEntries(
          names.map((name) => [name, backend.tensor(shapes[name], gradients[name])]),
        );
        run.optimizer.encode(encoder, tensors, { skip: signals.skip });
        device.queue.submit([encoder.finish()]);
        expect(run.optimizer.iterations).toBe(step + 1);
        const isUnchanged = isDeepStrictEqual(await bitsOf(run), before);
        expect(isUnchanged).toBe(isSkipped);
        if (isSkipped) {
          const state = await other.optimizer.state();
          other.optimizer.restore({
            ...state,
            iterations: state.iterations + 1,
            groups: state.groups.map((group) => ({ ...group, iterations: step + 1 })),
          });
        } else other.optimizer.step(gradients);
      }
      expect(await bitsOf(run)).toEqual(await bitsOf(other));
    }
  });

  test("with clear, gradients are cleared in any case", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    for (const dtype of ["f32", "i32", "f16"] as const) {
      const buffer = bufferOf(device, new Uint32Array(64).fill(0x0001_0001));
      const gradient = backend.wrap(buffer, { shape: [4, 3], offset: 1, rowStride: 5, dtype });
      const w = backend.tensor([4, 3], arrays(new Random(6)).w.subarray(0, 12));
      const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
      const before = await w.read();
      signals.write(66, 1, true);
      optimizer.step({ w: gradient }, { skip: signals.skip, clear: true });
      expect(await w.read()).toEqual(before);
      const words = await wordsOf(device, buffer);
      const halves = new Uint16Array(words.buffer);
      const unit = dtype === "f16" ? 1 : 2;
      const expected = new Uint16Array(128).fill(1);
      for (let row = 0; row < 4; row += 1)
        for (let k = 0; k < 3 * unit; k += 1) expected[(1 + 5 * row) * unit + k] = 0;
      expect(halves).toEqual(expected);
    }
  });

  test("gradients that a guard refuses are cleared, too", async () => {
    const backend = await newBackend();
    const w = backend.tensor([2], [1, 2]);
    for (const options of [{ nonFinite: "skip" }, { lossScale: 2 }] as const) {
      const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, options);
      const gradient = backend.tensor([2], [Infinity, 1]);
      optimizer.step({ w: gradient }, { clear: true });
      expect([...(await gradient.read())]).toEqual([0, 0]);
      expect([...(await w.read())]).toEqual([1, 2]);
      optimizer.dispose();
    }
  });
});

describe("learningRate on the device", () => {
  // Powers of two, with which the products of the device are exact.
  const rates = [0.5, 0.125, 0.25, 1];
  const refused = [adafactor, ftrl, scheduleFreeAdamw, scheduleFreeSgd].map(({ rule }) => rule);
  const taken = rules.filter((rule) => !refused.includes(rule));

  test.each(taken.map((rule) => [rule.name, rule] as const))("%s", async (_, rule) => {
    const decays = Object.hasOwn(rule.hyperparameters, "weightDecay");
    const spec = rule.specify(decays ? { weightDecay: 0.25 } : {});
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const onDevice = start(backend, spec);
    const onHost = start(backend, spec);
    const random = new Random(8);
    for (const rate of rates) {
      const gradients = arrays(random);
      signals.write(67, rate);
      onDevice.optimizer.step(gradients, { learningRate: signals.rate });
      onHost.optimizer.step(gradients, { learningRate: rate });
      expect(await bitsOf(onDevice)).toEqual(await bitsOf(onHost));
    }
  });

  test("by the names of parameters, with a rate for each group", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const groups = [
      { match: "b", learningRate: 7 },
      { match: "s", learningRate: 5 },
    ];
    const onDevice = start(backend, adamw(), { groups });
    const onHost = start(backend, adamw(), { groups });
    const random = new Random(9);
    for (const rate of rates) {
      const gradients = arrays(random);
      signals.write(67, rate);
      signals.write(3, rate / 4);
      signals.write(65, 0.5);
      onDevice.optimizer.step(gradients, {
        scale: signals.scale,
        learningRate: { b: signals.rate, s: signals.otherRate },
      });
      onHost.optimizer.step(gradients, { scale: 0.5, learningRate: { b: rate, s: rate / 4 } });
      // Other groups without any signal.
      onDevice.optimizer.step(gradients, { learningRate: { b: signals.rate } });
      onHost.optimizer.step(gradients, { learningRate: { b: rate } });
    }
    expect(await bitsOf(onDevice)).toEqual(await bitsOf(onHost));
  });

  test("of several rules, with a norm over the tensors of both, and one on its own", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const spec = chain(clipByGlobalNorm({ globalClipNorm: 0.5 }), adamw());
    const groups = [
      { match: "b", rule: chain(clipByGlobalNorm({ globalClipNorm: 0.25 }), sgd()) },
      { match: "s", rule: sgd({ momentum: 0.5 }) },
    ];
    const [onDevice, onHost] = [start(backend, spec, { groups }), start(backend, spec, { groups })];
    const random = new Random(17);
    signals.write(65, 0.5);
    for (const rate of rates) {
      const gradients = arrays(random);
      signals.write(67, rate);
      signals.write(66, 0, true);
      const { scale, skip } = signals;
      onDevice.optimizer.step(gradients, { scale, skip, learningRate: { b: signals.rate } });
      onHost.optimizer.step(gradients, { scale: 0.5, learningRate: { b: rate } });
      const expected = await bitsOf(onHost);
      expect(await bitsOf(onDevice)).toEqual(expected);
    }
    const before = await bitsOf(onDevice);
    signals.write(66, 1, true);
    onDevice.optimizer.step(arrays(random), { skip: signals.skip, learningRate: signals.rate });
    expect(await bitsOf(onDevice)).toEqual(before);
  });

  test("any rate, within the bound of the scalars", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const weightDecay = 0.3;
    const { optimizer, parameters } = start(backend, sgd({ weightDecay }));
    const random = new Random(10);
    const u = 2 ** -24;
    for (const rate of [0.3, 1e-3, 0.77]) {
      const before = await parameters.w.read();
      const gradients = arrays(random);
      signals.write(67, rate);
      optimizer.step(gradients, { learningRate: signals.rate });
      const after = await parameters.w.read();
      const r = Math.fround(rate);
      before.forEach((p, i) => {
        const decayed = p * (1 - r * weightDecay);
        const update = gradients.w[i] * r;
        const expected = decayed - update;
        // 1 − rate · decay: the slope, a product and a sum; the rate: a product; then two products and a difference.
        const decayError = 3 * u * r * weightDecay + 2 * u * (1 - r * weightDecay);
        const bound =
          Math.abs(p) * decayError +
          2 * u * Math.abs(decayed) +
          4 * u * Math.abs(update) +
          2 * u * Math.abs(expected);
        expect(Math.abs(after[i] - expected)).toBeLessThanOrEqual(bound * (1 + 64 * u));
      });
    }
  });
});

describe("steps with signals", () => {
  test("recorded many times before they are submitted, each have their own scalars", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    signals.write(65, 0.5);
    signals.write(67, 0.25);
    const [recorded, submitted] = [start(backend, adamw()), start(backend, adamw())];
    const gradients = Object.fromEntries(
      names.map((name) => [name, backend.tensor(shapes[name], arrays(new Random(11))[name])]),
    );
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (let step = 0; step < 9; step += 1) {
      const more = { scale: step % 3 === 0 ? step : signals.scale, learningRate: signals.rate };
      recorded.optimizer.encode(pass, gradients, more);
      submitted.optimizer.step(gradients, more);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
    expect(await bitsOf(recorded)).toEqual(await bitsOf(submitted));
  });

  test("can be in other memory, or numbers, in each step", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const [onDevice, onHost] = [start(backend, adamw()), start(backend, adamw())];
    signals.write(65, 0.5);
    signals.write(67, 0.25);
    signals.write(3, 0.125);
    const { scale, rate, otherRate, skip } = signals;
    const all: readonly (readonly [StepOptions, StepOptions])[] = [
      [{ learningRate: rate }, { learningRate: 0.25 }],
      [{ learningRate: otherRate }, { learningRate: 0.125 }],
      [
        { learningRate: otherRate, scale: 4 },
        { learningRate: 0.125, scale: 4 },
      ],
      [
        { learningRate: otherRate, scale },
        { learningRate: 0.125, scale: 0.5 },
      ],
      [
        { learningRate: otherRate, scale, skip },
        { learningRate: 0.125, scale: 0.5 },
      ],
      [{ learningRate: otherRate }, { learningRate: 0.125 }],
      [{ scale: 2 }, { scale: 2 }],
      [{}, {}],
      [{ skip }, {}],
    ];
    const gradients = Object.fromEntries(
      names.map((name) => [name, backend.tensor(shapes[name], arrays(new Random(14))[name])]),
    );
    for (const [one, other] of [...all, ...all]) {
      onDevice.optimizer.step(gradients, one);
      onHost.optimizer.step(gradients, other);
      expect(await bitsOf(onDevice)).toEqual(await bitsOf(onHost));
    }
  });

  test("count in what a guard tests, and are those of the step that the device takes", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    signals.write(65, 2);
    for (const option of [{ nonFinite: "skip" }, { lossScale: 8 }] as const) {
      for (const scale of [2, signals.scale]) {
        const run = start(backend, adam(), option);
        const before = await bitsOf(run);
        const gradients = arrays(new Random(15));
        gradients.w[3] = 3e38;
        run.optimizer.step(gradients, { scale });
        expect(await bitsOf(run)).toEqual(before);
        expect(run.optimizer.skippedSteps).toBe(1);
      }
      const [byOption, bySetting] = [0, 1].map(() => start(backend, adam(), option));
      const random = new Random(16);
      for (let step = 0; step < 6; step += 1) {
        const gradients = arrays(random);
        if (step === 1 || step === 4) gradients.b[0] = Infinity;
        const rate = step % 3 === 2 ? 1e-3 : 0.1 * (step + 1);
        byOption.optimizer.step(gradients, step % 3 === 2 ? {} : { learningRate: rate });
        bySetting.optimizer.learningRate = rate;
        bySetting.optimizer.step(gradients);
      }
      expect(await bitsOf(byOption)).toEqual(await bitsOf(bySetting));
      expect(byOption.optimizer.iterations).toBe(4);
    }
  });

  test("submit nothing of their own, read nothing back, and make nothing after the first", async () => {
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const signals = signalsOn(device, backend);
    const { optimizer } = start(backend, chain(clipByGlobalNorm(), adamw()));
    const gradients = Object.fromEntries(
      names.map((name) => [name, backend.tensor(shapes[name], arrays(new Random(12))[name])]),
    );
    const encoder = device.createCommandEncoder();
    const encode = (): void =>
      optimizer.encode(encoder, gradients, {
        scale: signals.scale,
        skip: signals.skip,
        learningRate: signals.rate,
        clear: true,
      });
    for (let step = 0; step < 9; step += 1) encode();
    const before = { ...counts };
    for (let step = 0; step < 7; step += 1) encode();
    const made = Object.entries(counts).filter(([name, count]) => count !== before[name]);
    expect(made).toEqual([["writeBuffer", before.writeBuffer + 7]]);
    device.queue.submit([encoder.finish()]);
    backend.dispose();
  });

  test("are one dispatch more if the device has them, and none more otherwise", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const { optimizer } = start(backend, adam());
    const gradients = Object.fromEntries(
      names.map((name) => [name, backend.tensor(shapes[name], arrays(new Random(13))[name])]),
    );
    const dispatchesOf = (options: StepOptions): number => {
      const encoder = device.createCommandEncoder();
      const counted = countingEncoder(encoder);
      optimizer.encode(counted.encoder, gradients, options);
      device.queue.submit([encoder.finish()]);
      return counted.counts.dispatches;
    };
    expect(dispatchesOf({})).toBe(1);
    expect(dispatchesOf({ scale: 2, learningRate: 0.5 })).toBe(1);
    expect(dispatchesOf({ scale: signals.scale, learningRate: signals.rate })).toBe(2);
    expect(dispatchesOf({})).toBe(1);
  });

  test("refuse what the device cannot do", async () => {
    const backend = await newBackend();
    const signals = signalsOn(await sharedDevice(), backend);
    const code = (spec: OptimizerSpec, options: OptimizerOptions, step: StepOptions): string => {
      const { optimizer, parameters } = start(backend, spec, options);
      const gradients = { w: new Float32Array(35) };
      try {
        optimizer.step(gradients, step);
      } catch (error) {
        return optimizer.iterations === 0 ? (error as { code: string }).code : "counted";
      }
      return parameters.w.freed ? "freed" : "none";
    };
    const learningRate = signals.rate;
    for (const rule of [adafactor, ftrl, scheduleFreeAdamw, scheduleFreeSgd])
      expect(code(rule(), {}, { learningRate })).toBe("UNSUPPORTED");
    expect(code(adam(), { nonFinite: "skip" }, { learningRate })).toBe("UNSUPPORTED");
    expect(code(adam(), { nonFinite: "skip" }, { skip: signals.skip })).toBe("UNSUPPORTED");
    expect(code(adam(), { accumulate: 2 }, { skip: signals.skip })).toBe("UNSUPPORTED");
    expect(code(adam(), countingRows, { learningRate })).toBe("UNSUPPORTED");
    expect(code(adam(), {}, { skip: signals.scale })).toBe("INVALID_MEMORY");
    expect(code(adam(), {}, { learningRate })).toBe("none");
  });
});
