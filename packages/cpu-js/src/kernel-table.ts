/**
 * A compiled variant: updates elements `start` to `end` − 1 of `p` and the slots in place, in one pass. All arrays have
 * at least `end` elements.
 */
export type KernelFunction = (
  p: Float32Array,
  g: Float32Array,
  slots: readonly Float32Array[],
  scalars: Float64Array,
  start: number,
  end: number,
) => void;

/** The kernels of a rule, by the fingerprints of their programs. `generate` writes them. */
export interface KernelTable {
  /** Whether every operation is rounded to f32. */
  readonly exact: boolean;
  readonly kernels: Readonly<Record<string, KernelFunction>>;
}
