import { wasm } from "@gradstep/wasm";
import { webgpu } from "@gradstep/webgpu/node";
import { afterEach, expect, test, vi } from "vitest";
import { isExhaustive } from "../../../../testing/cases.js";
import { CpuTrainer } from "../../src/splats/cpu/trainer.js";
import { readBuffers } from "../../src/splats/gpu/buffers.js";
import { GpuTrainer } from "../../src/splats/gpu/trainer.js";
import { landscape } from "../../src/splats/pictures/landscape.js";
import { psnr } from "../../src/splats/picture.js";
import { defaultRates } from "../../src/splats/training-settings.js";
import { skipsGpu } from "./device.js";

const small = {
  picture: landscape(64, 48),
  settings: { steps: 120, size: 64, capacity: 200, rates: defaultRates },
};

/** The picture of the page, and a training that is shorter than there. */
const full = {
  picture: landscape(256, 192),
  settings: { steps: 160, size: 256, capacity: 2000, rates: defaultRates },
};

afterEach(() => {
  vi.restoreAllMocks();
});

/** The full training takes some minutes on a software driver. */
const timeout = 1_200_000;

const { picture, settings } = isExhaustive ? full : small;

test.skipIf(skipsGpu)(
  `on the GPU, ${settings.steps} steps reach 30 dB, and nothing is read back in between`,
  async () => {
    const backend = await webgpu();
    const { device } = backend;
    const staging = device.createBuffer({ size: 4, usage: 0x1 | 0x8 });
    const mapped = vi.spyOn(Object.getPrototypeOf(staging) as GPUBuffer, "mapAsync");
    const awaited = vi.spyOn(
      Object.getPrototypeOf(device.queue) as GPUQueue,
      "onSubmittedWorkDone",
    );
    const submitted = vi.spyOn(Object.getPrototypeOf(device.queue) as GPUQueue, "submit");

    const trainer = new GpuTrainer(backend, picture, settings);
    const submittedBefore = submitted.mock.calls.length;
    while (trainer.step < settings.steps) trainer.run(10);
    expect(mapped).toHaveBeenCalledTimes(0);
    expect(awaited).toHaveBeenCalledTimes(0);
    // Ten steps are one command buffer, with the optimizer and the rounds of pruning and splitting in it.
    expect(submitted.mock.calls.length - submittedBefore).toBe(settings.steps / 10);

    const report = await trainer.report();
    expect(mapped).toHaveBeenCalledTimes(1);
    expect(report.psnr).toHaveLength(settings.steps / 10 + 1);
    expect(report.psnr.at(-1)).toBeGreaterThan(30);
    expect(report.rounds).toBe(12);
    expect(report.pruned).toBeGreaterThan(0);
    expect(report.split).toBeGreaterThan(settings.capacity / 2);
    expect(report.counts.at(-1)).toBeGreaterThan(0.9 * settings.capacity);
    expect(report.counts.at(-1)).toBe(settings.capacity / 8 - report.pruned + report.split);

    // The curve's last point is the error of the image.
    const [bytes] = await readBuffers(device, [trainer.renderer.image]);
    const image = new Float32Array(bytes);
    const squaredError = picture.colors.reduce((sum, value, i) => {
      return sum + (image[4 * Math.floor(i / 3) + (i % 3)] - value) ** 2;
    }, 0);
    expect(psnr(squaredError, picture)).toBeCloseTo(report.psnr.at(-1)!, 3);
    trainer.dispose();
    backend.dispose();
  },
  timeout,
);

test("without a GPU, a small training reaches 30 dB", async () => {
  const trainer = new CpuTrainer(wasm(), small.picture, small.settings);
  while (trainer.step < small.settings.steps) trainer.run(7);
  const report = await trainer.report();
  expect(report.psnr).toHaveLength(13);
  expect(report.psnr.at(-1)).toBeGreaterThan(30);
  expect(report.rounds).toBe(12);
  expect(report.pruned).toBeGreaterThan(0);
  expect(report.counts.at(-1)).toBe(trainer.count);
  expect(trainer.count).toBe(small.settings.capacity / 8 - report.pruned + report.split);
  trainer.dispose();
});

test("a rate of zero keeps its attribute as it is", async () => {
  const trainer = new CpuTrainer(wasm(), small.picture, {
    ...small.settings,
    rates: { ...defaultRates, color: 0 },
  });
  const colors = (): readonly number[] => Array.from(trainer.activated.subarray(4, 7));
  const before = colors();
  trainer.run(4);
  expect(colors()).toEqual(before);
  trainer.setRate("color", 0.1);
  trainer.run(1);
  expect(colors()).not.toEqual(before);
  trainer.dispose();
});
