import type { Variant } from "@gradstep/core";

/**
 * The length of a batch entry, in words of 4 bytes. An entry describes one tensor of a step: number of elements;
 * addresses of `p`, `g` and the slots; address of the scalars (consecutive f32).
 */
export function entryWords({ slots }: Variant): number {
  return 4 + slots.length;
}

/** The length of a chunk, in words of 4 bytes: address of the entry, first element, end (exclusive). */
export const chunkWords = 3;

/** The module and name under which kernels import their memory. */
export const memoryImport = { module: "gradstep", name: "memory" } as const;

/** Bytes per page of wasm memory. */
export const pageSize = 65536;

/** The maximum number of pages in a wasm memory. */
export const maxPages = 65536;

/**
 * The words of a range, in which the kernel of a pass runs: address of the entry, first position or row, end (exclusive),
 * and two for kernels of rows. Of each 16 rows they compute `lanes`, and have `scratch` for themselves: 16 values per
 * reduction.
 */
export const rangeWord = { entry: 0, start: 1, end: 2, lanes: 3, scratch: 4 } as const;

/** The length of a range. */
export const rangeWords = 5;
