import { bufferUsage } from "../device/webgpu-constants.js";

/** What a ring of scalars holds. */
export interface UniformRingOptions {
  readonly label: string;
  /** For each dispatch of a step, the scalar sets that it reads, and the bytes of each of them. */
  readonly dispatches: readonly {
    readonly scalarSets: readonly Float64Array[];
    readonly kernel: { readonly scalarSetLength: number };
  }[];
  /** Bytes per dispatch: a valid dynamic offset. */
  readonly blockLength: number;
  /** The number of steps after which scalars are overwritten. */
  readonly steps: number;
}

/** A uniform buffer with the scalars of the last steps: for each step, one block per dispatch. */
export class UniformRing {
  readonly buffer: GPUBuffer;
  readonly #queue: GPUQueue;
  readonly #dispatches: UniformRingOptions["dispatches"];
  readonly #blockLength: number;
  readonly #steps: number;
  /** The blocks of one step. */
  readonly #values: Float32Array<ArrayBuffer>;
  #next = 0;

  constructor(device: GPUDevice, { label, dispatches, blockLength, steps }: UniformRingOptions) {
    this.#queue = device.queue;
    this.#dispatches = dispatches;
    this.#blockLength = blockLength;
    this.#steps = steps;
    this.#values = new Float32Array((blockLength / 4) * dispatches.length);
    this.buffer = device.createBuffer({
      label,
      size: this.#values.byteLength * steps,
      usage: bufferUsage.UNIFORM | bufferUsage.COPY_DST,
    });
  }

  /** Writes the current scalars for one step. @returns the offset of its first block, in bytes */
  write(): number {
    const offset = this.#next * this.#values.byteLength;
    this.#next = (this.#next + 1) % this.#steps;
    for (let d = 0; d < this.#dispatches.length; d += 1) {
      const { scalarSets, kernel } = this.#dispatches[d];
      for (let k = 0; k < scalarSets.length; k += 1) {
        const start = (this.#blockLength * d + kernel.scalarSetLength * k) / 4;
        this.#values.set(scalarSets[k], start);
      }
    }
    this.#queue.writeBuffer(this.buffer, offset, this.#values);
    return offset;
  }

  destroy(): void {
    this.buffer.destroy();
  }
}
