import type { Backend, Tensor } from "../backend/backend.js";
import { sizeOf } from "../backend/shape.js";

/**
 * A backend whose tensors have shapes and no values: to check what fits an optimizer, at no cost in memory. Its optimizers
 * take no steps.
 */
export function backendWithoutValues(): Backend {
  const backend: Backend = {
    name: "without values",
    precision: "f32",
    exact: false,
    tensor: (shape) => tensorOf(backend, shape),
    staging: (shape) => ({ ...tensorOf(backend, shape), stage() {} }),
    compile: () => ({ source: "", takesRowLists: true, run() {} }),
    remap() {},
    copy() {},
    runTogether() {},
  };
  return backend;
}

function tensorOf(backend: Backend, shape: readonly number[]): Tensor {
  const size = sizeOf(shape);
  return {
    backend,
    shape,
    size,
    memory: { buffer: {}, byteOffset: 0, byteLength: 4 * size },
    freed: false,
    write() {},
    read: async () => new Float32Array(0),
    view: () => new Float32Array(0),
    free() {},
  };
}
