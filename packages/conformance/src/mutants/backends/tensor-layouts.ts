import type { Layout, Tensor } from "@gradstep/core";
import { extentOf } from "../../layouts/field.js";

/** Whether a tensor stores values of this type, in a layout. */
export function isDtype({ layout }: Tensor, dtype: Layout["dtype"]): boolean {
  return layout?.dtype === dtype;
}

export function columnsOf({ shape }: Tensor): number {
  return extentOf(shape).columns;
}

export function rowStrideOf(tensor: Tensor): number {
  return tensor.layout?.rowStride ?? columnsOf(tensor);
}

/** All bytes from the first to the last of a tensor in host memory, those between its rows included. */
export function bytesOf({ memory }: Tensor): Uint8Array {
  return new Uint8Array(memory.buffer as ArrayBuffer, memory.byteOffset, memory.byteLength);
}

/** The same memory with another layout; a tensor without gaps has none. */
export function withLayout(tensor: Tensor, change: (layout: Layout) => Partial<Layout>): Tensor {
  const { backend, shape, size, layout, memory } = tensor;
  if (layout === undefined) return tensor;
  return { backend, shape, size, layout: { ...layout, ...change(layout) }, memory } as Tensor;
}

/** The same layout from a later value on, where the memory is large enough. */
export function moved(tensor: Tensor, values: number): Tensor {
  const { backend, shape, size, layout, memory } = tensor;
  if (layout === undefined) return tensor;
  const width = layout.dtype === "f16" ? 2 : 4;
  const byteOffset = memory.byteOffset + values * width;
  const isInside =
    byteOffset >= 0 && byteOffset + memory.byteLength <= (memory.buffer as ArrayBuffer).byteLength;
  return isInside
    ? ({ backend, shape, size, layout, memory: { ...memory, byteOffset } } as Tensor)
    : tensor;
}
