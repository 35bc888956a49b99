import type { Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { isSupported, wasm } from "@gradstep/wasm";

/**
 * The fastest backend that this platform has: `wasm()`, or `cpuJs()` where there is no WebAssembly with SIMD or it must
 * not be compiled at run time. Its tensors are its own: make them with `backend.tensor(shape, values)` and read them
 * with `await tensor.read()`. For updates in place on your own arrays use `cpuJs()`.
 *
 * `backend.name` says which it is.
 */
export function autoBackend(): Promise<Backend> {
  return Promise.resolve(isSupported() ? wasm() : cpuJs());
}
