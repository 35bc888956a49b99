import { attributeNames, attributes, type AttributeName } from "../gaussian-rows.js";
import { beta1, beta2, rowLength, type GaussianRows } from "../gaussian-rows.js";
import { storage, uniform } from "../gpu/buffers.js";
import { Kernel, rowWorkgroups, type BoundKernel } from "../gpu/kernel.js";
import type { RowOrigins, SplatOptimizer } from "../optimizer.js";
import { activateCode, moveCode, resetCode, stepCode } from "./shaders.js";

/** The optimizer of the Gaussians in WGSL and WebGPU's own calls. Submit each step before the next one is recorded. */
export class ByHand implements SplatOptimizer {
  readonly #rows: GaussianRows;
  readonly #settings: GPUBuffer;
  readonly #columns: GPUBuffer;
  readonly #arrays: readonly GPUBuffer[];
  readonly #moved: readonly GPUBuffer[];
  readonly #step: BoundKernel;
  readonly #activate: BoundKernel;
  readonly #reset: BoundKernel;
  readonly #move: Kernel;
  readonly #rates = new Float32Array(rowLength);
  #steps = 0;

  constructor(rows: GaussianRows) {
    const { device, capacity, parameters, gradients, activated } = rows;
    const state = (label: string): GPUBuffer => storage(device, label, capacity * rowLength * 4);
    const [m, v] = [state("m"), state("v")];
    this.#rows = rows;
    this.#arrays = [parameters, m, v];
    this.#moved = [state("moved parameters"), state("moved m"), state("moved v")];
    this.#settings = uniform(device, "settings", 80);
    this.#columns = uniform(device, "columns", 12);
    this.#step = new Kernel(device, "step", stepCode).bind(
      this.#settings,
      gradients,
      parameters,
      m,
      v,
      activated,
    );
    this.#activate = new Kernel(device, "activate", activateCode).bind(
      this.#settings,
      parameters,
      activated,
    );
    this.#reset = new Kernel(device, "reset", resetCode).bind(this.#columns, m, v);
    this.#move = new Kernel(device, "move", moveCode);
    for (const name of attributeNames) this.setLearningRate(name, attributes[name].learningRate);
  }

  setLearningRate(attribute: AttributeName, learningRate: number): void {
    const { offset, columns } = attributes[attribute];
    this.#rates.fill(learningRate, offset, offset + columns);
  }

  step(encoder: GPUCommandEncoder): void {
    this.#steps += 1;
    this.#writeSettings();
    this.#record(encoder, this.#step);
  }

  resetState(encoder: GPUCommandEncoder, attribute: AttributeName): void {
    const { offset, columns } = attributes[attribute];
    const words = new Uint32Array([this.#rows.count, offset, offset + columns]);
    this.#rows.device.queue.writeBuffer(this.#columns, 0, words);
    this.#record(encoder, this.#reset);
  }

  remap(encoder: GPUCommandEncoder, { count, indices, fresh }: RowOrigins): void {
    const { countUniform } = this.#rows;
    const buffers = [countUniform, indices, fresh, ...this.#arrays, ...this.#moved];
    this.#record(encoder, this.#move.bind(...buffers));
    this.#arrays.forEach((array, i) => {
      encoder.copyBufferToBuffer(this.#moved[i], 0, array, 0, count * rowLength * 4);
    });
  }

  activate(encoder: GPUCommandEncoder): void {
    this.#writeSettings();
    this.#record(encoder, this.#activate);
  }

  #writeSettings(): void {
    const bytes = new ArrayBuffer(80);
    new Uint32Array(bytes)[0] = this.#rows.count;
    const corrections = [1 - beta1 ** this.#steps, 1 - beta2 ** this.#steps];
    new Float32Array(bytes).set(corrections, 1);
    new Float32Array(bytes).set(this.#rates, 4);
    this.#rows.device.queue.writeBuffer(this.#settings, 0, bytes);
  }

  #record(encoder: GPUCommandEncoder, kernel: BoundKernel): void {
    const pass = encoder.beginComputePass();
    kernel.dispatch(pass, rowWorkgroups(this.#rows.count));
    pass.end();
  }
}
