import { flushedSlotsOf, type Program, type Values } from "@gradstep/core";

/** A slot that is flushed before a program runs: its index, and that of its threshold among the scalars. */
export interface Flush {
  readonly array: number;
  readonly threshold: number;
}

/** The slots of a program that are flushed before it runs. @param arrays the names of all arrays that may be meant */
export function flushesOf(
  program: Program,
  arrays: readonly string[],
  scalars: readonly string[],
): readonly Flush[] {
  return flushedSlotsOf(program).map(({ slot, threshold }) => ({
    array: arrays.indexOf(slot),
    threshold: scalars.indexOf(threshold),
  }));
}

/**
 * Sets values below the threshold to 0, at the few steps where it is not 0.
 * @param threshold its index in the scalars: a number would be boxed to be passed
 */
export function flush(
  values: Values,
  scalars: Float64Array,
  threshold: number,
  start: number,
  end: number,
): void {
  const limit = scalars[threshold] > 0 ? Math.fround(scalars[threshold]) : 0;
  const stop = limit > 0 ? end : start;
  for (let i = start; i < stop; i += 1) if (Math.abs(values[i]) < limit) values[i] = 0;
}
