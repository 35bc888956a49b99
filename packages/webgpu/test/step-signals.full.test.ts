import {
  adafactor,
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  ftrl,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  type OptimizerOptions,
  type OptimizerSpec,
  type StepOptions,
} from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { countingDevice, countingEncoder } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";
import { shapes, names, arrays, start, bitsOf, signalsOn, countingRows } from "./signal-runs.js";

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
