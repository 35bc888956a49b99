/**
 * An array that `GPUQueue.writeBuffer` accepts in every runtime: the array itself, or a copy if its memory is shared,
 * resizable or of another realm: browsers refuse it.
 */
export function uploadable<T extends Float32Array | Uint32Array>(array: T): T {
  const { buffer } = array;
  const isFixed =
    buffer instanceof ArrayBuffer && (buffer as { resizable?: boolean }).resizable !== true;
  return isFixed ? array : (array.slice() as T);
}
