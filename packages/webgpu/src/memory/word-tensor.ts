import { sizeOf } from "@gradstep/core";
import { GpuTensor, type TensorHost } from "./gpu-tensor.js";
import type { GpuMemoryRange } from "../webgpu.js";

/**
 * A tensor of u32 in existing memory, to be used as a mask.
 * @param rowStride 0 if all rows have the same word
 */
export function wordTensor(
  host: TensorHost,
  shape: readonly number[],
  { buffer, byteOffset }: Pick<GpuMemoryRange, "buffer" | "byteOffset">,
  rowStride: 0 | 1,
): GpuTensor {
  const layout = { dtype: "u32", rowStride, scale: 1 } as const;
  return new GpuTensor(host, shape, { buffer, byteOffset, layout, capacity: sizeOf(shape) });
}
