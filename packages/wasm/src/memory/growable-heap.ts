import { GradstepError, show } from "@gradstep/core";
import type { WasmMemory } from "../webassembly-types.js";
import type { Heap } from "./heap.js";
import { maxPages, pageSize } from "./batch-layout.js";

/** One cache line, so that no two tensors share one and every vector is aligned. */
const alignment = 64;
/**
 * The alignment of blocks of `largeBlock` bytes and more. Processors compare loads with pending stores by the low 12 bits
 * of their addresses. With this alignment, the distance of two arrays modulo 4096 is 0 or at least 512, which does no
 * harm (ADR 0014).
 */
const largeAlignment = 512;
const largeBlock = 8192;

/** The next multiple. Not with bit operations: addresses exceed 31 bits. */
const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

interface FreeRange {
  address: number;
  byteLength: number;
}

/**
 * A heap that grows its memory on demand. It never uses pages that others have added, so that another module can grow
 * the same memory. First fit: successive allocations are adjacent.
 */
export class GrowableHeap implements Heap {
  readonly memory: WasmMemory;
  readonly #limit: number;
  /** By address, no two adjacent. */
  readonly #free: FreeRange[] = [];
  /** Lengths of the allocated blocks by address. */
  readonly #used = new Map<number, number>();

  /** @param limit of the whole memory, in bytes */
  constructor(memory: WasmMemory, limit: number) {
    this.memory = memory;
    this.#limit = limit;
  }

  /** Allocated bytes. */
  get used(): number {
    let sum = 0;
    for (const byteLength of this.#used.values()) sum += byteLength;
    return sum;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY` */
  allocate(byteLength: number): number {
    const needed = roundUp(byteLength, alignment);
    const multiple = byteLength < largeBlock ? alignment : largeAlignment;
    const usable = (range: FreeRange): number =>
      range.address + range.byteLength - roundUp(range.address, multiple);
    const find = (): FreeRange | undefined => this.#free.find((range) => usable(range) >= needed);
    let range = find();
    if (range === undefined) {
      this.#grow(needed + multiple - alignment);
      range = find()!;
    }
    const address = roundUp(range.address, multiple);
    const before = { address: range.address, byteLength: address - range.address };
    const after = { address: address + needed, byteLength: usable(range) - needed };
    const remaining = [before, after].filter(({ byteLength: length }) => length > 0);
    this.#free.splice(this.#free.indexOf(range), 1, ...remaining);
    this.#used.set(address, needed);
    return address;
  }

  /** Frees a block. Does nothing for an address that is not allocated. */
  free(address: number): void {
    const byteLength = this.#used.get(address);
    if (byteLength === undefined) return;
    this.#used.delete(address);
    this.#release(address, byteLength);
  }

  /** Adds a free range, merged with its neighbors. */
  #release(address: number, byteLength: number): void {
    const free = this.#free;
    const next = free.findIndex((range) => range.address > address);
    const index = next < 0 ? free.length : next;
    free.splice(index, 0, { address, byteLength });
    for (const i of [index + 1, index]) {
      const [before, after] = [free[i - 1], free[i]];
      if (before === undefined || after === undefined) continue;
      if (before.address + before.byteLength !== after.address) continue;
      before.byteLength += after.byteLength;
      free.splice(i, 1);
    }
  }

  /** Grows the memory until there is a free range of this many bytes. */
  #grow(byteLength: number): void {
    const current = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const isAtEnd = last !== undefined && last.address + last.byteLength === current;
    // The last page stays unused: the address after a tensor must fit into 32 bits.
    const maxGrowth = Math.min(this.#limit, (maxPages - 1) * pageSize) - current;
    // Address 0 stays unused.
    const reserved = current === 0 ? largeAlignment : 0;
    const needed = byteLength - (isAtEnd ? last.byteLength : 0) + reserved;
    if (needed > maxGrowth) throw this.#outOfMemory(byteLength);
    // In proportion, because growth detaches every view.
    const preferred = Math.min(Math.max(needed, current / 4), maxGrowth);
    let refusal: unknown;
    for (const bytes of [preferred, needed]) {
      const pages = Math.ceil(bytes / pageSize);
      try {
        const address = this.memory.grow(pages) * pageSize;
        this.#release(address + reserved, pages * pageSize - reserved);
        return;
      } catch (cause) {
        refusal = cause;
      }
    }
    throw this.#outOfMemory(byteLength, refusal);
  }

  #outOfMemory(byteLength: number, cause?: unknown): GradstepError {
    const { buffer } = this.memory;
    const end = cause === undefined ? `beyond ${this.#limit} bytes` : "any further on this machine";
    return new GradstepError(
      `No room for ${byteLength} bytes: ${this.used} of ${buffer.byteLength} are in use, and the memory cannot grow ${end}. ` +
        `Free tensors, dispose of optimizers, or use a second backend.`,
      { code: "OUT_OF_MEMORY", cause },
    );
  }
}

/**
 * Creates a heap with a memory of its own, which is not shared by threads if that is left out.
 *
 * @param limit in bytes
 * @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_HYPERPARAMETER`
 */
export function createHeap(
  limit: number,
  { shared = false }: { readonly shared?: boolean } = {},
): GrowableHeap {
  const isValid = Number.isSafeInteger(limit) && limit >= pageSize;
  if (!isValid || limit > maxPages * pageSize) {
    throw new GradstepError(
      `wasm: memoryLimit is ${show(limit)}; expected a number of bytes from ${pageSize} to ${maxPages * pageSize}.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  const maximum = Math.floor(limit / pageSize);
  try {
    return new GrowableHeap(new WebAssembly.Memory({ initial: 0, maximum, shared }), limit);
  } catch (cause) {
    throw new GradstepError(
      canCreateMemory()
        ? `There is no address space for ${limit} bytes of wasm memory; set memoryLimit to what you need.`
        : `There is no address space for another wasm memory of any size: the process is limited (ulimit -v), or it has ` +
            `too many (a page can have about 125). Release backends that you no longer use, share one, or use cpuJs().`,
      { code: "OUT_OF_MEMORY", cause },
    );
  }
}

/** Whether a wasm memory can be created: engines reserve gigabytes of address space for one of any size. */
export function canCreateMemory(): boolean {
  try {
    return new WebAssembly.Memory({ initial: 0, maximum: 1 }).buffer.byteLength === 0;
  } catch {
    return false;
  }
}
