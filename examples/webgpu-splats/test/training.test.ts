import { webgpu } from "@gradstep/webgpu/node";
import { expect, test } from "vitest";
import { ByHand } from "../src/by-hand/by-hand.js";
import { smallTraining } from "../src/training/presets.js";
import { train } from "../src/training/training.js";
import { skipsGpu } from "./device.js";

test.skipIf(skipsGpu)("training reconstructs the images", async () => {
  const backend = await webgpu();
  const byHand = await train(backend.device, (rows) => new ByHand(rows), smallTraining);
  backend.dispose();
  const [first, last] = [byHand.reports[0], byHand.reports.at(-1)!];
  expect(last.psnr - first.psnr).toBeGreaterThan(18);
  expect(last.count).toBe(smallTraining.capacity);
  expect(byHand.rounds).toHaveLength(3);
  const total = (what: "pruned" | "split"): number =>
    byHand.rounds.reduce((sum, round) => sum + (round[what] ?? 0), 0);
  expect(total("pruned")).toBeGreaterThan(10);
  expect(total("split")).toBeGreaterThan(200);
  expect(byHand.opacityResets).toBe(1);
});

test.skipIf(skipsGpu)("Markov Chain Monte Carlo relocates and adds Gaussians", async () => {
  const backend = await webgpu();
  const result = await train(backend.device, (rows) => new ByHand(rows), {
    ...smallTraining,
    density: "mcmc",
    steps: 120,
    densifyEvery: 10,
    densifyUntil: 90,
    reportEvery: 40,
  });
  backend.dispose();
  expect(result.reports.at(-1)!.psnr - result.reports[0].psnr).toBeGreaterThan(12);
  expect(result.reports.at(-1)!.count).toBe(smallTraining.capacity);
  const relocated = result.rounds.reduce((sum, round) => sum + (round.relocated ?? 0), 0);
  expect(relocated).toBeGreaterThan(0);
});
