import { GradstepError, show } from "@gradstep/core";
import type { Heap } from "./growable-heap.js";

/** A heap that somebody else manages. What it gives is checked: at a wrong address a step would change other people's values. */
export class ForeignHeap implements Heap {
  readonly memory: WebAssembly.Memory;
  readonly #heap: Heap;

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  constructor(heap: Heap) {
    if (!isHeap(heap)) {
      throw new GradstepError(
        `wasm: heap is ${show(heap)}; expected an object of memory, allocate and free.`,
        { code: "INVALID_HYPERPARAMETER" },
      );
    }
    this.memory = heap.memory;
    this.#heap = heap;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY`; what the heap itself throws */
  allocate(byteLength: number): number {
    const address = this.#heap.allocate(byteLength);
    const isInside =
      Number.isSafeInteger(address) &&
      address > 0 &&
      address % 4 === 0 &&
      address + byteLength <= this.memory.buffer.byteLength;
    if (isInside) return address;
    throw new GradstepError(
      `The heap gave ${show(address)} for ${byteLength} bytes; expected a positive multiple of 4 (of 16 is best) with so many bytes after it in its memory of ${this.memory.buffer.byteLength}. ` +
        `An allocate that has no more room should throw.`,
      { code: "OUT_OF_MEMORY" },
    );
  }

  free(address: number): void {
    this.#heap.free(address);
  }
}

function isHeap(heap: Partial<Heap> | null): boolean {
  // Not by the class, which another realm has its own of.
  const isMemory = Object.prototype.toString.call(heap?.memory) === "[object WebAssembly.Memory]";
  return isMemory && typeof heap?.allocate === "function" && typeof heap.free === "function";
}
