import type { Update } from "@gradstep/core";
import { bufferUsage } from "../device/webgpu-constants.js";
import { listEntryWords, noEntry, type RowListView } from "../planning/row-list.js";

/** The list of one update on the device. */
interface List {
  readonly update: Update;
  readonly buffer: GPUBuffer;
  readonly words: Uint32Array<ArrayBuffer>;
}

/**
 * Buffers for the lists of rows of a batch, which each step fills. They have room for some more rows than the first step
 * had, so that the next ones can use them.
 */
export class RowListUploads {
  readonly #device: GPUDevice;
  /** By the index of the update. */
  readonly #lists: readonly (List | undefined)[];

  constructor(device: GPUDevice, label: string, updates: readonly Update[]) {
    this.#device = device;
    this.#lists = updates.map((update): List | undefined => {
      if (update.rows === undefined) return undefined;
      const words = new Uint32Array(listEntryWords * capacityFor(countOf(update)));
      const buffer = device.createBuffer({
        label: `gradstep ${label}, rows`,
        size: words.byteLength,
        usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
      });
      return { update, buffer, words };
    });
  }

  /** Where the list of update `index` is; undefined if it has none. */
  viewOf(index: number): RowListView | undefined {
    const list = this.#lists[index];
    if (list === undefined) return undefined;
    return { buffer: list.buffer, start: 0, length: list.words.length / listEntryWords };
  }

  /** Whether the current list of update `index` has room in the buffer, if there is one. */
  matches(index: number, update: Update): boolean {
    const list = this.#lists[index];
    if (list === undefined || update.rows === undefined)
      return list === undefined && update.rows === undefined;
    return capacityFor(countOf(update)) === list.words.length / listEntryWords;
  }

  /** Copies the current lists to the device. */
  write(): void {
    for (let i = 0; i < this.#lists.length; i += 1) {
      const list = this.#lists[i];
      if (list === undefined) continue;
      const { words, update, buffer } = list;
      const { indices, gradientRows, start, end } = update.rows!;
      words.fill(noEntry);
      for (let k = start; k < end; k += 1) {
        words[listEntryWords * (k - start)] = indices[k];
        words[listEntryWords * (k - start) + 1] = gradientRows[k];
      }
      this.#device.queue.writeBuffer(buffer, 0, words);
    }
  }

  destroy(): void {
    for (const list of this.#lists) list?.buffer.destroy();
  }
}

function countOf({ rows }: Update): number {
  return rows!.end - rows!.start;
}

/** A power of two, so that few numbers of rows need buffers of their own. */
function capacityFor(count: number): number {
  return Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(1, count))));
}
