import type { CompiledPipeline } from "../../device/pipeline-cache.js";
import type { KernelLayout } from "../../shaders/kernel-layout.js";

/** A range of a buffer that is bound, in bytes. */
export interface BindingRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** One dispatch: what is bound, and the table that says which elements are updated. */
export interface Dispatch<L = KernelLayout> {
  readonly layout: L;
  /** The arrays of values, in the order of the layout. */
  readonly bindings: readonly BindingRange[];
  readonly table: Uint32Array<ArrayBuffer>;
  readonly tiles: number;
  /** The scalars of each parameter group in the dispatch. */
  readonly scalarSets: readonly Float64Array[];
}

/** A kernel that a step dispatches. */
export interface StepKernel {
  readonly bindGroupLayout: GPUBindGroupLayout;
  /** Whether the scratch buffer of the step is bound after the arrays. */
  readonly usesScratch: boolean;
  /** Bytes per scalar set. */
  readonly scalarSetLength: number;
  /** The index of the scale of the step, after the scalars of a set; undefined if it does not scale. */
  readonly scaleIndex?: number | undefined;
  readonly compile: () => CompiledPipeline;
}

/** A dispatch with its kernel. */
export interface StepDispatch extends Omit<Dispatch, "layout"> {
  readonly kernel: StepKernel;
  /** Whether it is executed if the device skips the step, and only then. */
  readonly isForSkipped?: boolean | undefined;
}

/** A dispatch whose table is on the device. */
export type TabledDispatch = Omit<StepDispatch, "table"> & {
  readonly tableRange: BindingRange;
};

/** Limits of a device for bindings, in bytes. */
export interface BindingLimits {
  readonly maxBindingSize: number;
  /** Offsets of bindings are multiples of this. */
  readonly alignment: number;
}

export function bindingLimitsOf({ limits }: GPUDevice): BindingLimits {
  const { maxStorageBufferBindingSize, minStorageBufferOffsetAlignment } = limits;
  return {
    maxBindingSize: maxStorageBufferBindingSize - (maxStorageBufferBindingSize % 16),
    alignment: minStorageBufferOffsetAlignment,
  };
}
