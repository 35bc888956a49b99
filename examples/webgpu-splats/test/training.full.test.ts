import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { ByHand } from "../src/by-hand/by-hand.js";
import { smallTraining } from "../src/training/presets.js";
import { train, type TrainingOptions, type TrainingResult } from "../src/training/training.js";
import { WithGradstep } from "../src/with-gradstep.js";
import { skipsGpu } from "./device.js";

const options: TrainingOptions = smallTraining;

async function trainBoth(
  options: TrainingOptions,
): Promise<{ readonly withGradstep: TrainingResult; readonly byHand: TrainingResult }> {
  const backend = await webgpu();
  const { device } = backend;
  const withGradstep = await train(device, (rows) => new WithGradstep(backend, rows), options);
  const byHand = await train(device, (rows) => new ByHand(rows), options);
  backend.dispose();
  return { withGradstep, byHand };
}

const total = ({ rounds }: TrainingResult, what: keyof TrainingResult["rounds"][number]): number =>
  rounds.reduce((sum, round) => sum + (round[what] ?? 0), 0);

test.skipIf(skipsGpu)("with gradstep and by hand, training reaches the same PSNR", async () => {
  const { withGradstep, byHand } = await trainBoth(options);
  for (const result of [withGradstep, byHand]) {
    const [first, last] = [result.reports[0], result.reports.at(-1)!];
    expect(last.psnr - first.psnr).toBeGreaterThan(15);
    expect(last.count).toBe(options.capacity);
    expect(result.rounds).toHaveLength(3);
    expect(total(result, "pruned")).toBeGreaterThan(10);
    expect(total(result, "cloned")).toBeGreaterThan(20);
    expect(total(result, "split")).toBeGreaterThan(100);
    expect(result.opacityResets).toBe(1);
  }
  // Until the first Gaussians are split they differ by rounding only, afterwards by decisions, too.
  const difference = (report: number): number =>
    Math.abs(withGradstep.reports[report].psnr - byHand.reports[report].psnr);
  expect(difference(0)).toBe(0);
  expect(difference(1)).toBeLessThan(0.01);
  expect(difference(withGradstep.reports.length - 1)).toBeLessThan(0.1);
  expect(withGradstep.dispatches).toEqual({ step: 1, remap: 11, reset: 1 });
  expect(byHand.dispatches).toEqual({ step: 1, remap: 1, reset: 1 });
});

test.skipIf(skipsGpu)("Markov Chain Monte Carlo relocates and adds Gaussians", async () => {
  const backend = await webgpu();
  const result = await train(backend.device, (rows) => new WithGradstep(backend, rows), {
    ...options,
    density: "mcmc",
    steps: 100,
    densifyEvery: 10,
    densifyUntil: 90,
  });
  backend.dispose();
  expect(result.reports.at(-1)!.psnr - result.reports[0].psnr).toBeGreaterThan(11);
  expect(result.reports.at(-1)!.count).toBe(options.capacity);
  expect(total(result, "relocated")).toBeGreaterThan(0);
});
