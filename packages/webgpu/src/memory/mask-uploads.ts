import type { RowValues, Update } from "@gradstep/core";
import type { RowPlace } from "../planning/row-dispatches.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** An array that a step copies to the device. */
interface Upload {
  /** The update from which the array is taken: the first of those that share it. */
  readonly update: Update;
  readonly byteOffset: number;
}

/**
 * Room on the device for the masks of a batch of tensors that come as arrays. An array that several tensors share is
 * one write; which of them share one is fixed, the arrays may be others at each step.
 */
export class MaskUploads {
  readonly #device: GPUDevice;
  readonly #buffer: GPUBuffer | undefined;
  readonly #uploads: readonly Upload[];
  /** For each update, the one whose array it has. */
  readonly #sources: readonly (Update | undefined)[];

  constructor(device: GPUDevice, label: string, updates: readonly Update[]) {
    this.#device = device;
    const uploads = new Map<RowValues, Upload>();
    let size = 0;
    for (const update of updates) {
      const { mask } = update;
      if (!ArrayBuffer.isView(mask) || uploads.has(mask)) continue;
      uploads.set(mask, { update, byteOffset: size });
      size += mask.byteLength;
    }
    this.#uploads = [...uploads.values()];
    this.#sources = updates.map(({ mask }) => uploads.get(mask!)?.update);
    this.#buffer =
      size === 0
        ? undefined
        : device.createBuffer({
            label: `gradstep ${label}, masks`,
            size,
            usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
          });
  }

  /** Where the mask of update `i` is, if it comes as an array. */
  place(i: number): RowPlace | undefined {
    const source = this.#sources[i];
    if (source === undefined) return undefined;
    const { byteOffset } = this.#uploads.find(({ update }) => update === source)!;
    return { buffer: this.#buffer!, at: byteOffset / 4, step: 1 };
  }

  /** Whether update `i` has its array where it had it when this was made. */
  fits(i: number, { mask }: Update): boolean {
    return ArrayBuffer.isView(mask) && this.#sources[i]?.mask === mask;
  }

  /** Copies the arrays of now. */
  write(): void {
    for (let i = 0; i < this.#uploads.length; i += 1) {
      const { update, byteOffset } = this.#uploads[i];
      this.#device.queue.writeBuffer(
        this.#buffer!,
        byteOffset,
        ownWords(update.mask as Uint32Array),
      );
    }
  }

  release(): void {
    this.#buffer?.destroy();
  }
}

/** Words that a queue takes in every runtime: of shared memory, a copy. */
export function ownWords(words: Uint32Array): Uint32Array<ArrayBuffer> {
  return words.buffer instanceof ArrayBuffer
    ? (words as Uint32Array<ArrayBuffer>)
    : Uint32Array.from(words);
}
