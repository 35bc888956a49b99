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
    byHand.rounds.reduce((sum, round) => sum + round[what], 0);
  expect(total("pruned")).toBeGreaterThan(10);
  expect(total("split")).toBeGreaterThan(200);
  expect(byHand.opacityResets).toBe(1);
});
