import type { Update } from "@gradstep/core";
import { allocationAlignment } from "../memory/buffer-pools.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { BufferView } from "./dispatch.js";

/** One update of plain f32 tensors: the same range of elements in each array. */
export interface DenseItem {
  /** `p`, `g` and the slots. */
  readonly views: readonly BufferView[];
  readonly count: number;
  /** The scalars of the parameter's group, compared by identity. */
  readonly scalars: Float64Array;
}

/**
 * Where the tensors of an update are. If all of them are in the backend's buffers, their padding is updated as well, so
 * that adjacent tensors become one range.
 */
export function denseItemOf({ parameter, gradient, slots, scalars }: Update): DenseItem {
  const tensors = [parameter, gradient, ...slots] as unknown as GpuTensor[];
  const isPadded = tensors.every(({ allocation }) => allocation !== undefined);
  return {
    views: tensors.map(({ memory }) => ({ buffer: memory.buffer, start: memory.byteOffset / 4 })),
    count: isPadded
      ? Math.ceil((parameter.size * 4) / allocationAlignment) * (allocationAlignment / 4)
      : parameter.size,
    scalars,
  };
}
