import type { Backend, Tensor, WrappingBackend } from "@gradstep/core";

/** A mask as a tensor in memory of the caller, for a backend that wraps arrays and takes layouts. */
export function wrappedMask(backend: Backend, mask: Uint32Array): Tensor {
  return (backend as WrappingBackend<Uint32Array>).wrap(mask.slice(), {
    shape: [mask.length],
    dtype: "u32",
  });
}
