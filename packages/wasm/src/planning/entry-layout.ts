import type { Extent, Matrices, Variant } from "@gradstep/core";

/** The words of an entry that are not addresses of arrays. */
export const entryWord = {
  /** Rows and columns of a matrix of the tensor, or of its transpose if `isTransposed` is not 0. */
  rows: 0,
  columns: 1,
  /** Address of the scalars (consecutive f32). */
  scalars: 2,
  /** Address to which `p` is stored: elsewhere where it must not change. */
  storedParameter: 3,
  isTransposed: 4,
  /** The number of lanes of a sum over columns: see `lanesOf`. */
  lanes: 5,
  arrays: 6,
} as const;

/**
 * What the kernels of a variant with several passes know of a tensor: the dimensions of its matrices and the addresses
 * of its arrays, temporaries and counts included.
 */
export class EntryLayout {
  /** Of each array. A count is the same for all rows and columns of a tensor. */
  readonly extents: ReadonlyMap<string, Extent>;
  readonly scalars: readonly string[];
  readonly matrices: Matrices;
  /** By name: arrays, and what reductions leave behind. */
  readonly #words: ReadonlyMap<string, number>;

  constructor({ slots, passPlan, scalars, matrices }: Variant) {
    this.scalars = scalars;
    this.matrices = matrices;
    this.extents = new Map<string, Extent>([
      ["p", "element"],
      ["g", "element"],
      ...slots.map(({ name, extent }) => [name, extent] as const),
      ...passPlan.temporaries.map(({ name, extent }) => [name, extent] as const),
      ...passPlan.counts.map(({ name }) => [name, "tensor"] as const),
    ]);
    const reductions = passPlan.passes.flatMap((pass) =>
      pass.kind === "map" ? pass.reductions.map(({ name }) => partialName(name)) : [],
    );
    const names = [...this.extents.keys(), ...reductions];
    this.#words = new Map(names.map((name, i) => [name, entryWord.arrays + i]));
  }

  /** The length of an entry. */
  get words(): number {
    return entryWord.arrays + this.#words.size;
  }

  /** The word with the address of an array. */
  wordOf(name: string): number {
    return this.#words.get(name)!;
  }

  /** The word with the address of what a reduction leaves behind, from which its result is joined. */
  partialWordOf(reduction: string): number {
    return this.wordOf(partialName(reduction));
  }
}

/** No name of an array has spaces. */
function partialName(reduction: string): string {
  return `partial ${reduction}`;
}
