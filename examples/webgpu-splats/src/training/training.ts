import { Densifier, type DensifierOptions } from "../density/densifier.js";
import type { DensityControl, DensityRound } from "../density/density-control.js";
import { OpacityCap } from "../density/opacity-cap.js";
import { Relocation } from "../density/relocation.js";
import { attributeNames, attributes, GaussianRows, type AttributeName } from "../gaussian-rows.js";
import { dispatchCounter } from "../gpu/dispatch-counter.js";
import type { SplatOptimizer } from "../optimizer.js";
import { Renderer } from "../renderer/renderer.js";
import { camerasAround, focalLength } from "../scene/cameras.js";
import { planet, pointCloud, rowCount } from "../scene/planet.js";
import { Random } from "../scene/random.js";
import { psnr } from "./psnr.js";

export interface TrainingOptions {
  /** Width and height of an image in pixels. */
  readonly size: number;
  /** Cameras to train with, and others, whose images are only compared. */
  readonly cameras: number;
  readonly heldOutCameras: number;
  readonly viewsPerStep: number;
  readonly steps: number;
  /** Decides which views each step has. */
  readonly seed: number;
  /** Gaussians at the beginning, and at most. */
  readonly points: number;
  readonly capacity: number;
  /** Density control: of Kerbl et al. 2023, or Markov Chain Monte Carlo, which needs no reset of opacities. */
  readonly density: "adaptive" | "mcmc";
  /** A round of it every `densifyEvery` steps, up to step `densifyUntil`. */
  readonly densifyEvery: number;
  readonly densifyUntil: number;
  readonly resetOpacityEvery: number;
  /** PSNR is measured every `reportEvery` steps. */
  readonly reportEvery: number;
}

export interface Report {
  readonly step: number;
  /** In dB: of the cameras to train with, and of the others. */
  readonly psnr: number;
  readonly heldOutPsnr: number;
  /** The number of Gaussians. */
  readonly count: number;
  /** RGBA images of all cameras. */
  readonly images: Float32Array;
}

export interface TrainingResult {
  readonly reports: readonly Report[];
  readonly rounds: readonly DensityRound[];
  readonly opacityResets: number;
  /** RGBA images of the scene, from all cameras. */
  readonly targets: Float32Array;
  /** Dispatches of the optimizer. */
  readonly dispatches: { readonly step: number; readonly remap: number; readonly reset: number };
  /** Of a step with the renderer, and of the optimizer alone. */
  readonly milliseconds: { readonly step: number; readonly optimizer: number };
}

/** Steps of the optimizer alone that are timed. */
const timedSteps = 50;

/** Gaussians are split if they are wider than about one and a half pixels. */
const adaptiveOptions = (size: number): DensifierOptions => ({
  gradientThreshold: 0.0008,
  splitScale: 4 / size,
  minOpacity: 0.02,
});

const mcmcOptions = {
  minOpacity: 0.005,
  growth: 1.25,
  noise: 5e4,
  opacityWeight: 0.01,
  scaleWeight: 0.01,
};

/** @param progress between 0 and 1 */
const rateAt = (name: AttributeName, progress: number): number =>
  attributes[name].learningRate * attributes[name].decay ** progress;

/** The images to train on. */
async function renderPlanet(
  device: GPUDevice,
  cameras: Float32Array<ArrayBuffer>,
  size: number,
): Promise<Float32Array<ArrayBuffer>> {
  const scene = planet();
  const rows = new GaussianRows(device, rowCount(scene));
  device.queue.writeBuffer(rows.activated, 0, scene);
  rows.count = rows.capacity;
  return new Renderer(rows, cameras, { size, focalLength }).render();
}

/** Trains Gaussians on images of the planet. */
export async function train(
  device: GPUDevice,
  createOptimizer: (rows: GaussianRows) => SplatOptimizer,
  options: TrainingOptions,
  onReport: (report: Report) => void = () => {},
): Promise<TrainingResult> {
  const { size, cameras, capacity, steps } = options;
  const allCameras = Float32Array.of(
    ...camerasAround(cameras, 0.3),
    ...camerasAround(options.heldOutCameras, 0.6),
  );
  const targets = await renderPlanet(device, allCameras, size);
  const rows = new GaussianRows(device, capacity);
  const renderer = new Renderer(rows, allCameras, { size, focalLength });
  renderer.setTargets(targets);
  const start = pointCloud(options.points);
  device.queue.writeBuffer(rows.parameters, 0, start);
  rows.count = rowCount(start);
  const optimizer = createOptimizer(rows);
  const control: DensityControl =
    options.density === "adaptive"
      ? new Densifier(rows, adaptiveOptions(size))
      : new Relocation(rows, mcmcOptions);
  const opacityCap = new OpacityCap(rows, 0.05);
  const count = dispatchCounter(device);
  const submit = (record: (encoder: GPUCommandEncoder) => void): void => {
    const encoder = device.createCommandEncoder();
    record(encoder);
    device.queue.submit([encoder.finish()]);
  };
  submit((encoder) => optimizer.activate(encoder));

  const random = new Random(options.seed);
  const reports: Report[] = [];
  const rounds: DensityRound[] = [];
  const dispatches = { step: 0, remap: 0, reset: 0 };
  let opacityResets = 0;
  let milliseconds = 0;
  const report = async (step: number): Promise<void> => {
    const images = await renderer.render();
    const trained = cameras * size ** 2 * 4;
    reports.push({
      step,
      psnr: psnr(images.subarray(0, trained), targets.subarray(0, trained)),
      heldOutPsnr: psnr(images.subarray(trained), targets.subarray(trained)),
      count: rows.count,
      images,
    });
    onReport(reports.at(-1)!);
  };

  await report(0);
  for (let step = 1; step <= steps; step += 1) {
    const begin = performance.now();
    for (const name of attributeNames) {
      optimizer.setLearningRate(name, rateAt(name, step / steps));
    }
    renderer.setViews(Array.from({ length: options.viewsPerStep }, () => random.below(cameras)));
    submit((encoder) => {
      const pass = encoder.beginComputePass();
      renderer.forward(pass);
      renderer.backward(pass);
      pass.end();
      control.regularize?.(encoder);
      dispatches.step = count(() => optimizer.step(encoder));
      control.perturb?.(encoder, step, rateAt("position", step / steps));
    });
    if (step % options.densifyEvery === 0 && step <= options.densifyUntil) {
      const { origins, round } = await control.choose(step);
      rows.count = origins.count;
      rounds.push(round);
      submit((encoder) => {
        dispatches.remap = count(() => optimizer.remap(encoder, origins));
        control.complete(encoder);
        optimizer.activate(encoder);
      });
    }
    const resets = options.density === "adaptive" && step < options.densifyUntil;
    if (resets && step % options.resetOpacityEvery === 0) {
      opacityResets += 1;
      submit((encoder) => {
        opacityCap.record(encoder);
        dispatches.reset = count(() => optimizer.resetState(encoder, "opacity"));
        optimizer.activate(encoder);
      });
    }
    if (step % options.reportEvery === 0) await device.queue.onSubmittedWorkDone();
    milliseconds += performance.now() - begin;
    if (step % options.reportEvery === 0) await report(step);
  }
  const begin = performance.now();
  for (let step = 0; step < timedSteps; step += 1) submit((encoder) => optimizer.step(encoder));
  await device.queue.onSubmittedWorkDone();
  const optimizerMilliseconds = (performance.now() - begin) / timedSteps;
  return {
    reports,
    rounds,
    opacityResets,
    targets,
    dispatches,
    milliseconds: { step: milliseconds / steps, optimizer: optimizerMilliseconds },
  };
}
