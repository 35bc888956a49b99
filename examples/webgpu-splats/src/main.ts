import { webgpu } from "@gradstep/webgpu/node";
import { ByHand } from "./by-hand/by-hand.js";
import { train } from "./training/training.js";
import { fullTraining } from "./training/presets.js";
const backend = await webgpu();
const result = await train(
  backend.device,
  (rows) => new ByHand(rows),
  fullTraining,
  (r) => console.log(r),
);
console.log(result.rounds, result.dispatches, result.millisecondsPerStep, result.opacityResets);
import { writePng } from "./png.js";
writePng("/tmp/splats.png", [result.targets, result.images], fullTraining.size, 6);
backend.dispose();
