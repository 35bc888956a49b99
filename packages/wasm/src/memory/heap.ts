import type { WasmMemory } from "../webassembly-types.js";

/** An allocator in a wasm memory. */
export interface Heap {
  readonly memory: WasmMemory;
  /**
   * Allocates `byteLength` bytes, whose contents are undefined. Throws if there is no room.
   *
   * @returns an address that is not 0 and is a multiple of 4; multiples of 16 are faster
   */
  allocate(byteLength: number): number;
  /** Frees what `allocate` returned. */
  free(address: number): void;
}

/** Whether threads can share a memory. Modules that import it must declare that. Growth does not detach its buffers. */
export function isSharedMemory({ buffer }: WasmMemory): boolean {
  // Not by instanceof: pages that are not cross-origin isolated have no such class.
  return Object.prototype.toString.call(buffer) === "[object SharedArrayBuffer]";
}
