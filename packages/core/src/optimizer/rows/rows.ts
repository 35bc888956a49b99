import type { EncodeTargetOf, RowValues, Tensor } from "../../backend/backend.js";
import type { CopyTable } from "../parameters/copy-options.js";
import type { Parameters } from "../parameters/parameter-checks.js";

/** Options of `remap`. */
export interface RemapOptions<T extends Tensor = Tensor> {
  /**
   * The new number of rows, at least 1; the number of indices if left out. Or a tensor whose first u32 is the number when
   * work is executed: then tensors get `capacity` rows, and remaps and steps leave out the rows from that number on; masks
   * that are given to a step replace this. On WebGPU. A state has the number that it was then; after `restore`, the tensor
   * is not read any more, until it is given to the next remap.
   */
  readonly count?: number | T | undefined;
  /** The rows that tensors have if their number is on the device; the number of indices if left out. */
  readonly capacity?: number | undefined;
  /**
   * Rows whose u32 is not 0 take their parameters from where the index says, and their slots start as those of a new
   * row: for clones and splits. Or such rows by the names of parameters, where `"all"` are all rows; the slots of the
   * parameters that are not named are kept.
   */
  readonly resetRows?: RowValues | Readonly<Record<string, RowValues | "all">> | undefined;
  /**
   * Parameters that the caller or another optimizer has rearranged already: tensors with `count` rows that replace the
   * current ones, or are the current ones. Only their slots are moved. The caller frees the tensors that are replaced.
   */
  readonly parameters?: Parameters<T> | undefined;
  /** Copies that replace the current ones of their parameters, if those are too small for the new number of rows. */
  readonly copies?: CopyTable<T> | undefined;
}

/** Parameters whose rows move together. Made by `optimizer.rows`. */
export interface Rows<T extends Tensor = Tensor> {
  readonly names: readonly string[];
  /** The current number of rows; if it is on the device, the number of rows of the tensors. */
  readonly count: number;
  /**
   * The current number of rows, read from the device if it is there.
   * @throws {GradstepError} `DISPOSED`
   */
  readCount(): Promise<number>;
  /**
   * Row `i` of the parameters and of their slots becomes what row `indices[i]` was: to prune, clone, reorder or append
   * rows. The index `newRow` (0xffffffff) makes a row of zeros with the slots of a new parameter.
   *
   * Tensors keep their identity and change their shape. Memory that the backend owns grows by at least half, so that few
   * calls reallocate; caller-owned memory is used up to the `capacity` with which it was wrapped. Afterwards, gradient
   * tensors of `optimizer.gradient` hold zeros, and copies are up to date. Views and buffers obtained before are stale;
   * get them again.
   *
   * @param indices rows from 0 to `count` − 1. Tensors are not inspected; in them, every index that is too large means
   * `newRow`.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `INVALID_MEMORY` (an index is too large, or caller-owned memory too
   * small), `INVALID_SHAPE`, `INVALID_PARAMETER`, `OVERLAPPING_MEMORY`, `UNKNOWN_PARAMETER`, `UNKNOWN_OPTION`,
   * `OUT_OF_MEMORY`, `DISPOSED`; then nothing has changed
   */
  remap(indices: RowValues, options?: RemapOptions<T>): void;
  /**
   * Records a remap into a target of the caller instead of executing it: on WebGPU, a `GPUCommandEncoder` or a
   * `GPUComputePassEncoder`. Nothing is submitted. Shapes, and the GPUBuffers of tensors that grow, change at once; rows
   * move when the caller's work is executed, between the steps that were encoded before and after. Indices and flags that
   * are arrays are copied before this returns.
   *
   * Until then nothing else may use the tensors: submit the target before the next `step`, `read`, `write` or `remap`, and
   * before rows of these parameters are encoded into another target. An encoder and each of its passes are different
   * targets. Old memory is kept until that next move of rows.
   *
   * @throws {GradstepError} as `remap` does, and `UNSUPPORTED` if the backend cannot encode; then nothing has changed
   */
  encodeRemap(target: EncodeTargetOf<T>, indices: RowValues, options?: RemapOptions<T>): void;
}
