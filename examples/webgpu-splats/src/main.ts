import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { ByHand } from "./by-hand/by-hand.js";
import { writePng } from "./training/png.js";
import { fullTraining } from "./training/presets.js";
import { train } from "./training/training.js";

const print = (text = ""): void => void process.stdout.write(`${text}\n`);

const { description } = await nodeGpu();
const backend = await webgpu();
print(`${fullTraining.steps} steps on ${description}`);
const result = await train(
  backend.device,
  (rows) => new ByHand(rows),
  fullTraining,
  ({ step, count, psnr }) => print(`step ${step}: ${count} Gaussians, ${psnr.toFixed(2)} dB`),
);
print(`${result.millisecondsPerStep.toFixed(1)} ms per step`);
writePng("splats.png", [result.targets, result.images], fullTraining.size, 6);
backend.dispose();
