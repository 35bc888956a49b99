import { GradstepError, show } from "@gradstep/core";
import type { WasmMemory } from "../webassembly-types.js";
import type { Heap } from "./heap.js";

/** A heap that the user supplies. Its addresses are checked: a step at a wrong address would change other data. */
export class ForeignHeap implements Heap {
  readonly memory: WasmMemory;
  readonly #heap: Heap;

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
  constructor(heap: Heap) {
    if (!isHeap(heap)) {
      throw new GradstepError(
        `wasm: heap is ${show(heap)}; expected an object with memory, allocate and free.`,
        { code: "INVALID_HYPERPARAMETER" },
      );
    }
    this.memory = heap.memory;
    this.#heap = heap;
  }

  /** @throws {GradstepError} `OUT_OF_MEMORY`; also what the heap itself throws */
  allocate(byteLength: number): number {
    const address = this.#heap.allocate(byteLength);
    const { byteLength: end } = this.memory.buffer;
    const isValid =
      Number.isSafeInteger(address) &&
      address > 0 &&
      address % 4 === 0 &&
      address + byteLength <= end;
    if (isValid) return address;
    throw new GradstepError(
      `The heap returned the address ${show(address)} for ${byteLength} bytes; expected a positive multiple of 4 (of 16 ` +
        `for speed) whose block ends within its memory of ${end} bytes. An allocate without room should throw.`,
      { code: "OUT_OF_MEMORY" },
    );
  }

  free(address: number): void {
    this.#heap.free(address);
  }
}

function isHeap(heap: Partial<Heap> | null): boolean {
  // Not by instanceof: another realm has its own class.
  const isMemory = Object.prototype.toString.call(heap?.memory) === "[object WebAssembly.Memory]";
  return isMemory && typeof heap?.allocate === "function" && typeof heap.free === "function";
}
