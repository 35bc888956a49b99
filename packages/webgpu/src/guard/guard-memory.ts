import type { GuardOptions } from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";
import { controlLength, controlWords } from "./control-block.js";
import { fromControl } from "../shaders/decide-kernel.js";

/** What the kernels of a guard share: counts, the finding of `check`, and the scalars of the last steps. */
export class GuardMemory {
  readonly control: GPUBuffer;
  readonly nonFinite: GPUBuffer;
  readonly keptScalars: GPUBuffer;
  readonly keptSteps: number;
  /** Scalars per step. */
  readonly rowLength: number;
  readonly #queue: GPUQueue;
  readonly #scalars: readonly Float64Array[];
  /** Where the first scalar of an array comes from, as in the table of the decide kernel. */
  readonly #sources = new Map<Float64Array, number>();
  readonly #row: Float32Array<ArrayBuffer>;

  constructor(device: GPUDevice, { scalars, divisor, keptSteps }: GuardOptions) {
    this.#queue = device.queue;
    this.#scalars = scalars;
    this.keptSteps = keptSteps;
    let length = 0;
    for (const array of scalars) {
      this.#sources.set(array, length);
      length += array.length;
    }
    this.#sources.set(divisor, fromControl + controlWords.divisor);
    this.#row = new Float32Array(Math.max(1, length));
    this.rowLength = this.#row.length;
    const { STORAGE, COPY_SRC, COPY_DST } = bufferUsage;
    const make = (label: string, size: number): GPUBuffer =>
      device.createBuffer({
        label: `gradstep guard, ${label}`,
        size,
        usage: STORAGE | COPY_SRC | COPY_DST,
      });
    this.control = make("counts", controlLength);
    this.nonFinite = make("finding", 4);
    this.keptScalars = make("scalars", this.#row.byteLength * keptSteps);
  }

  /** Stores the current scalars as those of a step. */
  writeScalars(t: number): void {
    let start = 0;
    for (let i = 0; i < this.#scalars.length; i += 1) {
      this.#row.set(this.#scalars[i], start);
      start += this.#scalars[i].length;
    }
    const offset = (t % this.keptSteps) * this.#row.byteLength;
    this.#queue.writeBuffer(this.keptScalars, offset, this.#row);
  }

  /** Where the first scalar of an array comes from. */
  sourceOf(scalars: Float64Array): number {
    return this.#sources.get(scalars)!;
  }

  destroy(): void {
    for (const buffer of [this.control, this.nonFinite, this.keptScalars]) buffer.destroy();
  }
}
