import type { Values } from "@gradstep/core";

/**
 * A compiled variant of elements: updates elements `start` to `end` − 1 of `p` and the slots in place, in one pass.
 *
 * @param shift what is added to the index of an element to get that of its gradient
 */
export type KernelFunction = (
  p: Float32Array,
  g: Float32Array,
  slots: readonly Float32Array[],
  scalars: Float64Array,
  start: number,
  end: number,
  shift: number,
) => void;

/**
 * A compiled pass: evaluates its program for indices `start` to `end` − 1 of its extent, in place.
 *
 * @param arrays in the order of `arrayNamesOf(variant)`
 * @param scalars in the order of `variant.scalars`
 * @param operands per reduction of the pass, an array for the values that it joins: the first is that of index `start`
 * @param rows of each matrix of the tensor
 * @param columns of each matrix of the tensor
 */
export type PassFunction = (
  arrays: readonly Values[],
  scalars: Float64Array,
  operands: readonly Values[],
  start: number,
  end: number,
  rows: number,
  columns: number,
) => void;

/** The compiled passes of a variant, by the fingerprints of the programs of its passes. */
export type PassFunctions = Readonly<Record<string, PassFunction>>;

/** The kernels of a rule, by the fingerprints of its variants' `perElement`. `generate` writes them. */
export interface KernelTable {
  /** Whether every operation is rounded to f32. */
  readonly exact: boolean;
  /** One function for a variant of elements; functions per pass for one with reductions. */
  readonly kernels: Readonly<Record<string, KernelFunction | PassFunctions>>;
}

/** What the tables of a backend hold, by the fingerprints of variants' `perElement`. */
export type CompiledFunctions = ReadonlyMap<string, KernelFunction | PassFunctions>;
