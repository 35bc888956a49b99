/**
 * Whether APIs of browsers take a view as it is: GPU uploads, hashes, Blobs and decoders refuse memory that is shared or
 * resizable, as that of a growing wasm module can be. Also false for memory of another realm, which is not looked into.
 */
export function hasFixedMemory(view: Uint8Array): view is Uint8Array<ArrayBuffer>;
export function hasFixedMemory(view: ArrayBufferView): boolean;
export function hasFixedMemory({ buffer }: ArrayBufferView): boolean {
  return buffer instanceof ArrayBuffer && (buffer as { resizable?: boolean }).resizable !== true;
}
