import { hasFixedMemory } from "@gradstep/core/internal";

/**
 * An array that `GPUQueue.writeBuffer` accepts in every runtime: the array itself, or a copy if its memory is shared,
 * resizable or of another realm: browsers refuse it.
 */
export function uploadable<T extends Float32Array | Uint32Array>(array: T): T {
  return hasFixedMemory(array) ? array : (array.slice() as T);
}
