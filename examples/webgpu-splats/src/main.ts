import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { ByHand } from "./by-hand/by-hand.js";
import type { GaussianRows } from "./gaussian-rows.js";
import { lineCount } from "./line-count.js";
import type { SplatOptimizer } from "./optimizer.js";
import { writePng } from "./training/png.js";
import { fullTraining } from "./training/presets.js";
import { train, type TrainingResult } from "./training/training.js";
import { WithGradstep } from "./with-gradstep.js";

/** In dB. The two round differently, and a few Gaussians more or less are split, or relocated to a place that is drawn. */
const tolerances = { adaptive: 0.1, mcmc: 0.5 };

const [density = "adaptive", picture] = process.argv.slice(2);
if (density !== "adaptive" && density !== "mcmc") {
  throw new Error(`Density control: got "${density}"; expected "adaptive" or "mcmc".`);
}
const options = { ...fullTraining, density } as const;

const print = (text = ""): void => void process.stdout.write(`${text}\n`);
const { description } = await nodeGpu();
const backend = await webgpu();
const { steps, size, cameras, viewsPerStep } = options;
print(`${cameras} images of ${size} × ${size}, ${viewsPerStep} per step, on ${description}`);

async function run(
  name: string,
  createOptimizer: (rows: GaussianRows) => SplatOptimizer,
): Promise<TrainingResult> {
  print(`\n${name}`);
  return train(backend.device, createOptimizer, options, ({ step, count, psnr }) => {
    const [at, gaussians] = [String(step).padStart(6), String(count).padStart(6)];
    print(`step ${at} ${gaussians} Gaussians ${psnr.toFixed(2).padStart(7)} dB`);
  });
}

const withGradstep = await run("With gradstep", (rows) => new WithGradstep(backend, rows));
const byHand = await run("By hand", (rows) => new ByHand(rows));

const row = (name: string, value: (result: TrainingResult) => unknown): void => {
  const [one, other] = [withGradstep, byHand].map((result) => String(value(result)));
  print(`${name.padEnd(30)}${one.padStart(14)}${other.padStart(14)}`);
};
const lines = new Map([
  [withGradstep, lineCount("with-gradstep.ts")],
  [byHand, lineCount("by-hand/by-hand.ts") + lineCount("by-hand/shaders.ts")],
]);
const finalPsnr = ({ reports }: TrainingResult): number => reports.at(-1)!.psnr;
print();
row("", (result) => (result === byHand ? "by hand" : "with gradstep"));
row(`PSNR after ${steps} steps`, (result) => `${finalPsnr(result).toFixed(2)} dB`);
row(
  "  of cameras that are held out",
  ({ reports }) => `${reports.at(-1)!.heldOutPsnr.toFixed(2)} dB`,
);
row("lines of code", (result) => lines.get(result));
row("dispatches per step", ({ dispatches }) => dispatches.step);
row("dispatches per remap", ({ dispatches }) => dispatches.remap);
row("dispatches per opacity reset", ({ dispatches }) => dispatches.reset);
row("step with renderer", ({ milliseconds }) => `${milliseconds.step.toFixed(2)} ms`);
row("step of the optimizer", ({ milliseconds }) => `${milliseconds.optimizer.toFixed(2)} ms`);

const difference = Math.abs(finalPsnr(withGradstep) - finalPsnr(byHand));
const agree = difference <= tolerances[density];
print(
  `\nThey ${agree ? "agree" : "do not agree"}: the PSNR differs by ${difference.toFixed(3)} dB.`,
);
if (picture !== undefined) {
  const { reports, targets } = withGradstep;
  const stages = [0, 1, 2, reports.length - 1].map((i) => reports[i].images);
  writePng(picture, [targets, ...stages], size, 6);
}
backend.dispose();
process.exitCode = agree ? 0 : 1;
