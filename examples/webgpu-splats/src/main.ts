import { nodeGpu, webgpu } from "@gradstep/webgpu/node";
import { agreementOf } from "./agreement.js";
import { ByHand } from "./by-hand/by-hand.js";
import type { GaussianRows } from "./gaussian-rows.js";
import { lineCount } from "./line-count.js";
import type { SplatOptimizer } from "./optimizer.js";
import { optionsOf } from "./options.js";
import { writePng } from "./training/png.js";
import { fullTraining } from "./training/presets.js";
import { train, type TrainingResult } from "./training/training.js";
import { WithGradstep } from "./with-gradstep.js";

const print = (text = ""): void => void process.stdout.write(`${text}\n`);

const options = optionsOf(process.argv.slice(2));
if ("exitCode" in options) {
  print(options.text);
  process.exit(options.exitCode);
}
const { density, runs, picture } = options;
const { steps, size, cameras, viewsPerStep } = fullTraining;
const { description } = await nodeGpu();
const backend = await webgpu();
print(`${cameras} images of ${size} × ${size}, ${viewsPerStep} per step, on ${description}`);

async function trainOnce(
  name: string,
  run: number,
  createOptimizer: (rows: GaussianRows) => SplatOptimizer,
): Promise<TrainingResult> {
  print(`\n${name}${runs > 1 ? `, run ${run + 1} of ${runs}` : ""}`);
  const training = { ...fullTraining, density, seed: fullTraining.seed + run };
  return train(backend.device, createOptimizer, training, ({ step, count, psnr }) => {
    const [at, gaussians] = [String(step).padStart(6), String(count).padStart(6)];
    print(`step ${at} ${gaussians} Gaussians ${psnr.toFixed(2).padStart(7)} dB`);
  });
}

const withGradstep: TrainingResult[] = [];
const byHand: TrainingResult[] = [];
for (let run = 0; run < runs; run += 1) {
  withGradstep.push(
    await trainOnce("With gradstep", run, (rows) => new WithGradstep(backend, rows)),
  );
  byHand.push(await trainOnce("By hand", run, (rows) => new ByHand(rows)));
}

type Measure = (result: TrainingResult) => number;

const row = (name: string, one: string, other: string): void =>
  print(`${name.padEnd(30)}${one.padStart(14)}${other.padStart(14)}`);
const meanRow = (name: string, unit: string, measure: Measure): void => {
  const [one, other] = [withGradstep, byHand].map(
    (results) => results.reduce((sum, result) => sum + measure(result), 0) / runs,
  );
  row(name, `${one.toFixed(2)} ${unit}`, `${other.toFixed(2)} ${unit}`);
};
const countRow = (name: string, measure: Measure): void =>
  row(name, String(measure(withGradstep[0])), String(measure(byHand[0])));
const finalPsnr: Measure = ({ reports }) => reports.at(-1)!.psnr;
print();
row("", "with gradstep", "by hand");
meanRow(`PSNR after ${steps} steps`, "dB", finalPsnr);
meanRow("  of cameras that are held out", "dB", ({ reports }) => reports.at(-1)!.heldOutPsnr);
row(
  "lines of code",
  String(lineCount("with-gradstep.ts")),
  String(lineCount("by-hand/by-hand.ts") + lineCount("by-hand/shaders.ts")),
);
countRow("dispatches per step", ({ dispatches }) => dispatches.step);
countRow("dispatches per remap", ({ dispatches }) => dispatches.remap);
countRow("dispatches per opacity reset", ({ dispatches }) => dispatches.reset);
meanRow("step with renderer", "ms", ({ milliseconds }) => milliseconds.step);
meanRow("step of the optimizer", "ms", ({ milliseconds }) => milliseconds.optimizer);

const differences = withGradstep.map((result, run) => finalPsnr(result) - finalPsnr(byHand[run]));
const { agrees, text } = agreementOf(differences, density);
print(`\n${text}`);
if (picture !== undefined) {
  const { reports, targets } = withGradstep[0];
  const stages = [0, 1, 2, reports.length - 1].map((i) => reports[i].images);
  writePng(picture, [targets, ...stages], size, 6);
}
backend.dispose();
process.exitCode = agrees ? 0 : 1;
