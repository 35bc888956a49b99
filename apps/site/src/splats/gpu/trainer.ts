import type { GpuWrapOptions, WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import { initialSplats } from "../initial-splats.js";
import {
  createSplatOptimizer,
  setLearningRates,
  type SplatOptimizer,
} from "../optimizer.js";
import type { Picture } from "../picture.js";
import {
  attributes,
  byAttribute,
  gradientUnit,
  rowLength,
} from "../splat-rows.js";
import type { AttributeName, ByAttribute } from "../splat-rows.js";
import type { Report, Trainer } from "../trainer.js";
import {
  hasRound,
  initialCount,
  rateFactor,
  recordEvery,
} from "../training-settings.js";
import type { TrainingSettings } from "../training-settings.js";
import { readBuffers } from "./buffers.js";
import { DensityControl } from "./density-control.js";
import { History } from "./history.js";
import { milliseconds, PassTimer } from "./pass-timer.js";
import { Renderer } from "./renderer.js";
import { SplatBuffers } from "./splat-buffers.js";

/** Fits splats to a picture on the GPU. Steps are recorded and submitted: nothing is awaited, and nothing read back. */
export class GpuTrainer implements Trainer {
  readonly splats: SplatBuffers;
  readonly renderer: Renderer;
  readonly #backend: WebGpu;
  readonly #settings: TrainingSettings;
  readonly #rates: Record<AttributeName, number>;
  readonly #optimizer: SplatOptimizer<WebGpuTensor>;
  readonly #gradients: ByAttribute<WebGpuTensor>;
  readonly #count: WebGpuTensor;
  readonly #history: History;
  readonly #densityControl: DensityControl;
  readonly #timer: PassTimer | undefined;
  #step = 0;
  /** The number of steps in the last pass. */
  #timedSteps = 0;

  constructor(backend: WebGpu, picture: Picture, settings: TrainingSettings) {
    const { device } = backend;
    const { capacity } = settings;
    const splats = new SplatBuffers(
      device,
      capacity,
      initialSplats(picture, initialCount(settings)),
    );
    this.splats = splats;
    this.renderer = new Renderer(splats, picture);
    this.#backend = backend;
    this.#settings = settings;
    this.#rates = { ...settings.rates };
    this.#history = new History(splats, this.renderer, picture, settings.steps);
    this.#densityControl = new DensityControl(splats, this.#history);
    if (device.features.has("timestamp-query"))
      this.#timer = new PassTimer(device);

    // The number of rows stays on the GPU.
    this.#count = backend.wrap(splats.count, { dtype: "u32" });
    this.#optimizer = createSplatOptimizer(
      this.#columns(splats.parameters),
      this.#columns(splats.activated),
      this.#count,
    );
    this.#gradients = this.#columns(splats.gradients, {
      dtype: "i32",
      scale: gradientUnit,
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.#encodeImage(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  get step(): number {
    return this.#step;
  }

  run(steps: number): void {
    const { device } = this.#backend;
    const last = Math.min(this.#settings.steps, this.#step + steps);
    if (this.#step === last) return;
    this.#timedSteps = last - this.#step;
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass(this.#timer?.passDescriptor);
    while (this.#step < last) this.#encodeStep(pass);
    pass.end();
    this.#timer?.resolve(encoder);
    device.queue.submit([encoder.finish()]);
  }

  setRate(name: AttributeName, rate: number): void {
    this.#rates[name] = rate;
  }

  async report(): Promise<Report> {
    const timedSteps = this.#timedSteps;
    const buffers = [
      this.#history.buffer,
      ...(this.#timer === undefined ? [] : [this.#timer.buffer]),
    ];
    const [history, times] = await readBuffers(this.#backend.device, buffers);
    const hasTimestamps = this.#timer !== undefined;
    const report = { ...this.#history.decode(history), hasTimestamps };
    if (times === undefined || timedSteps === 0) return report;
    return { ...report, gpuMilliseconds: milliseconds(times) / timedSteps };
  }

  dispose(): void {
    this.#optimizer.dispose();
    this.splats.buffers.destroy();
    this.#timer?.destroy();
  }

  // #region steps
  /**
   * Gradients, update, at times a round of pruning and splitting, and the new
   * image.
   */
  #encodeStep(pass: GPUComputePassEncoder): void {
    this.renderer.backward(pass);
    setLearningRates(
      this.#optimizer,
      this.#rates,
      rateFactor(this.#step, this.#settings),
    );
    this.#optimizer.encode(pass, this.#gradients, { clear: true });
    this.#step += 1;
    if (hasRound(this.#step, this.#settings)) this.#encodeRound(pass);
    this.#encodeImage(pass);
  }

  #encodeImage(pass: GPUComputePassEncoder): void {
    this.renderer.forward(pass);
    if (this.#step % recordEvery === 0) this.#history.append(pass);
  }

  #encodeRound(pass: GPUComputePassEncoder): void {
    const { sources, halves } = this.#densityControl;
    this.#densityControl.choose(pass);
    this.#optimizer
      .rows()
      .encodeRemap(pass, this.#backend.wrap(sources, { dtype: "u32" }), {
        count: this.#count,
        resetRows: this.#backend.wrap(halves, { dtype: "u32" }),
      });
    this.#densityControl.divide(pass);
    this.#optimizer.encodeFillCopies(pass);
  }
  // #endregion steps

  /** A tensor for each attribute: its columns of the rows. */
  #columns(
    buffer: GPUBuffer,
    options: GpuWrapOptions = {},
  ): ByAttribute<WebGpuTensor> {
    return byAttribute((name) => {
      const { offset, columns } = attributes[name];
      const shape = [this.#settings.capacity, columns];
      return this.#backend.wrap(buffer, {
        shape,
        offset,
        rowStride: rowLength,
        ...options,
      });
    });
  }
}
