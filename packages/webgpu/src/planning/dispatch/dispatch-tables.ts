import { destroyStale } from "../../device/stale-work.js";
import { bufferUsage } from "../../device/webgpu-constants.js";
import type { BindingRange } from "./dispatch.js";

/** A buffer with the tables that one plan added. */
interface TableBuffer {
  readonly buffer: GPUBuffer;
  /** How many of its tables are in use. */
  used: number;
}

/** A table on the device. Plans that need equal tables share one. */
interface Table {
  readonly words: Uint32Array;
  readonly hash: number;
  readonly range: BindingRange;
  readonly source: TableBuffer;
  users: number;
}

/** The tables of the dispatches of steps on the same parameters. */
export class DispatchTables {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #tables = new Map<number, Table[]>();
  readonly #ranges = new Map<BindingRange, Table>();

  constructor(device: GPUDevice, label: string) {
    this.#device = device;
    this.#label = label;
  }

  /** Where these tables are. Those that are new are one buffer and one write. */
  acquire(tables: readonly Uint32Array[]): readonly BindingRange[] {
    const alignment = this.#device.limits.minStorageBufferOffsetAlignment;
    let length = 0;
    const added: { readonly words: Uint32Array; readonly hash: number; readonly offset: number }[] =
      [];
    const hashes = tables.map(hashOf);
    tables.forEach((words, i) => {
      const hash = hashes[i];
      const isAdded = added.some((one) => one.hash === hash && isEqual(one.words, words));
      if (isAdded || this.#find(hash, words) !== undefined) return;
      added.push({ words, hash, offset: length });
      length += Math.ceil(words.byteLength / alignment) * alignment;
    });
    if (added.length > 0) {
      const buffer = this.#device.createBuffer({
        label: `${this.#label}, tables`,
        size: length,
        usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
      });
      const all = new Uint32Array(length / 4);
      const source: TableBuffer = { buffer, used: added.length };
      for (const { words, hash, offset } of added) {
        all.set(words, offset / 4);
        const range = { buffer, offset, size: words.byteLength };
        const table: Table = { words, hash, range, source, users: 0 };
        this.#tables.set(hash, [...(this.#tables.get(hash) ?? []), table]);
        this.#ranges.set(range, table);
      }
      this.#device.queue.writeBuffer(buffer, 0, all);
    }
    return tables.map((words, i) => {
      const table = this.#find(hashes[i], words)!;
      table.users += 1;
      return table.range;
    });
  }

  /** Ends the use of what `acquire` returned. A buffer without used tables is destroyed. */
  release(ranges: readonly BindingRange[]): void {
    for (const range of ranges) {
      const table = this.#ranges.get(range)!;
      table.users -= 1;
      if (table.users > 0) continue;
      const { hash, source } = table;
      const others = this.#tables.get(hash)!.filter((one) => one !== table);
      if (others.length > 0) this.#tables.set(hash, others);
      else this.#tables.delete(hash);
      this.#ranges.delete(range);
      source.used -= 1;
      if (source.used === 0) destroyStale(source.buffer);
    }
  }

  #find(hash: number, words: Uint32Array): Table | undefined {
    return this.#tables.get(hash)?.find((one) => isEqual(one.words, words));
  }
}

function hashOf(words: Uint32Array): number {
  let hash = words.length;
  for (let i = 0; i < words.length; i += 1) hash = Math.imul(hash ^ words[i], 0x01000193);
  return hash;
}

function isEqual(a: Uint32Array, b: Uint32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
