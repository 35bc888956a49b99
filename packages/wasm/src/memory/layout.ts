import type { Variant } from "@gradstep/core";

/**
 * One tensor's part in a step, as a kernel reads it: cells of 4 bytes: the number of elements; addresses of `p`, `g`
 * and the slots; the address of the scalars, which are f32 in cells of their own.
 */
export function rowLength({ slots }: Variant): number {
  return 4 + slots.length;
}

/** Cells of 4 bytes in a chunk: address of the row, first element, element after the last. */
export const chunkLength = 3;

/** The module and the name under which kernels import their memory. */
export const memoryImport = { module: "gradstep", name: "memory" } as const;

/** The most pages of 64 KiB that a wasm memory can have. */
export const mostPages = 65536;
