import type { RowValues, Update } from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";
import type { RowView } from "./buffer-views.js";
import { uploadable } from "./uploadable-array.js";

/** An array that a step copies to the device. */
interface Upload {
  /** The update whose array it is: the first of those that share the array. */
  readonly update: Update;
  readonly byteOffset: number;
}

/**
 * A buffer for the masks of a batch that are arrays. An array that several tensors share is one write. Which tensors
 * share one is fixed; the arrays may change with each step.
 */
export class MaskUploads {
  readonly #device: GPUDevice;
  readonly #buffer: GPUBuffer | undefined;
  readonly #uploads: readonly Upload[];
  /** For each update, the first update with the same array. */
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
            label: `${label}, masks`,
            size,
            usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
          });
  }

  /** Where the mask of update `index` is on the device; undefined unless it is an array. */
  viewOf(index: number): RowView | undefined {
    const source = this.#sources[index];
    if (source === undefined) return undefined;
    const { byteOffset } = this.#uploads.find(({ update }) => update === source)!;
    return { buffer: this.#buffer!, start: byteOffset / 4, stride: 1 };
  }

  /** For an update with an array: whether it shares the array with the same updates as before. */
  matches(index: number, { mask }: Update): boolean {
    return !ArrayBuffer.isView(mask) || this.#sources[index]?.mask === mask;
  }

  /** Copies the current arrays to the device. */
  write(): void {
    for (let i = 0; i < this.#uploads.length; i += 1) {
      const { update, byteOffset } = this.#uploads[i];
      this.#device.queue.writeBuffer(
        this.#buffer!,
        byteOffset,
        uploadable(update.mask as Uint32Array<ArrayBuffer>),
      );
    }
  }

  destroy(): void {
    this.#buffer?.destroy();
  }
}
