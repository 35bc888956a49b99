import { GradstepError, show } from "@gradstep/core";
import { mostPages } from "./layout.js";

/** Where a backend's tensors lie: a wasm memory, and a way to reserve parts of it. */
export interface Heap {
  readonly memory: WebAssembly.Memory;
  /**
   * The address of so many bytes: not 0, and a multiple of 4; of 16 is faster. What they hold is undefined. Throws where
   * there is no room.
   */
  allocate(byteLength: number): number;
  /** Gives back what `allocate` gave. */
  free(address: number): void;
}

/** Whether threads can share a memory: modules that import it have to know, and its old buffers are never detached. */
export function isSharedMemory({ buffer }: WebAssembly.Memory): boolean {
  // Not by the class, which pages that are not isolated do not have.
  return Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]";
}

/** One cache line, so that no two tensors share one and every vector is aligned. */
const alignment = 64;
/**
 * Of blocks from `large` on: further apart than a processor's stores under way, which it compares with loads by the last
 * twelve bits of their addresses alone (ADR 0014).
 */
const largeAlignment = 512;
const large = 8192;
const pageLength = 65536;

/** The next multiple. Addresses exceed what bit operations take. */
const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;

interface Range {
  address: number;
  byteLength: number;
}

/**
 * A heap that grows its memory as it is needed, and never takes pages that others have added: the memory can be shared
 * with a module that does the same. First fit, so that what is allocated in a row lies in a row.
 */
export class Arena implements Heap {
  readonly memory: WebAssembly.Memory;
  readonly #limit: number;
  /** Free ranges by address, no two adjacent. */
  readonly #free: Range[] = [];
  readonly #used = new Map<number, number>();

  /** @param limit in bytes, of the whole memory. */
  constructor(memory: WebAssembly.Memory, limit: number) {
    this.memory = memory;
    this.#limit = limit;
  }

  /** Bytes that are allocated. */
  get used(): number {
    let sum = 0;
    for (const byteLength of this.#used.values()) sum += byteLength;
    return sum;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY` */
  allocate(byteLength: number): number {
    const needed = roundUp(byteLength, alignment);
    const multiple = byteLength < large ? alignment : largeAlignment;
    const room = (one: Range): number =>
      one.address + one.byteLength - roundUp(one.address, multiple);
    const find = (): Range | undefined => this.#free.find((one) => room(one) >= needed);
    let range = find();
    if (range === undefined) {
      this.#grow(needed + multiple - alignment);
      range = find()!;
    }
    const address = roundUp(range.address, multiple);
    const before = { address: range.address, byteLength: address - range.address };
    const after = { address: address + needed, byteLength: room(range) - needed };
    const left = [before, after].filter((one) => one.byteLength > 0);
    this.#free.splice(this.#free.indexOf(range), 1, ...left);
    this.#used.set(address, needed);
    return address;
  }

  free(address: number): void {
    const byteLength = this.#used.get(address);
    if (byteLength === undefined) return;
    this.#used.delete(address);
    this.#release(address, byteLength);
  }

  /** Puts a range among the free ones, joined to its neighbors. */
  #release(address: number, byteLength: number): void {
    const free = this.#free;
    const next = free.findIndex((one) => one.address > address);
    const place = next < 0 ? free.length : next;
    free.splice(place, 0, { address, byteLength });
    for (const i of [place + 1, place]) {
      const [before, after] = [free[i - 1], free[i]];
      if (before === undefined || after === undefined) continue;
      if (before.address + before.byteLength !== after.address) continue;
      before.byteLength += after.byteLength;
      free.splice(i, 1);
    }
  }

  /** Adds memory, so that there is a free range of so many bytes. */
  #grow(byteLength: number): void {
    const present = this.memory.buffer.byteLength;
    const last = this.#free.at(-1);
    const isAtEnd = last !== undefined && last.address + last.byteLength === present;
    // The last page stays unused: the address after a tensor must fit into 32 bits. Address 0 is nobody's.
    const most = Math.min(this.#limit, (mostPages - 1) * pageLength) - present;
    const first = present === 0 ? largeAlignment : 0;
    const needed = byteLength - (isAtEnd ? last.byteLength : 0) + first;
    if (needed > most) throw this.#outOfMemory(byteLength);
    // In proportion, because growth detaches every view.
    const wanted = Math.min(Math.max(needed, present / 4), most);
    let refusal: unknown;
    for (const bytes of [wanted, needed]) {
      const pages = Math.ceil(bytes / pageLength);
      try {
        const address = this.memory.grow(pages) * pageLength;
        this.#release(address + first, pages * pageLength - first);
        return;
      } catch (cause) {
        refusal = cause;
      }
    }
    throw this.#outOfMemory(byteLength, refusal);
  }

  #outOfMemory(byteLength: number, cause?: unknown): GradstepError {
    const { buffer } = this.memory;
    const end = cause === undefined ? `beyond ${this.#limit}` : "any further on this machine";
    return new GradstepError(
      `No room for ${byteLength} bytes: ${this.used} of ${buffer.byteLength} are in use, and the memory cannot grow ${end}. ` +
        `Free tensors, dispose of optimizers, or use a second backend.`,
      { code: "OUT_OF_MEMORY", cause },
    );
  }
}

/** A heap of its own. @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_HYPERPARAMETER` */
export function createArena(shared: boolean, limit: number): Arena {
  const isValid = Number.isSafeInteger(limit) && limit >= pageLength;
  if (!isValid || limit > mostPages * pageLength) {
    throw new GradstepError(
      `wasm: memoryLimit is ${show(limit)}; expected a number of bytes from ${pageLength} to ${mostPages * pageLength}.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  const maximum = Math.floor(limit / pageLength);
  try {
    return new Arena(new WebAssembly.Memory({ initial: 0, maximum, shared }), limit);
  } catch (cause) {
    throw new GradstepError(
      `No address space for ${limit} bytes of wasm memory; set memoryLimit to what is needed.`,
      { code: "OUT_OF_MEMORY", cause },
    );
  }
}
