/**
 * A compiled variant: one pass that updates `p` and the slots in place, from element `start` to before `end`. All
 * arrays have at least that length.
 */
export type KernelFunction = (
  p: Float32Array,
  g: Float32Array,
  slots: readonly Float32Array[],
  scalars: Float64Array,
  start: number,
  end: number,
) => void;

/** The kernels of a rule, by the fingerprint of what they compute; written by `generate`. */
export interface KernelTable {
  /** Whether every operation is rounded to f32. */
  readonly exact: boolean;
  readonly kernels: Readonly<Record<string, KernelFunction>>;
}
