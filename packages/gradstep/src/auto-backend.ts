import type { Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { isSupported, wasm } from "@gradstep/wasm";

/** What is looked at of `navigator.gpu`. */
interface Gpu {
  requestAdapter(options?: {
    powerPreference?: "low-power" | "high-performance";
  }): Promise<{ readonly info: { readonly isFallbackAdapter?: boolean } } | null>;
}

/**
 * The fastest backend that this platform has: WebGPU where there is a GPU (one that is simulated in software does not
 * count); else `wasm()`; or `cpuJs()` where there is no WebAssembly with SIMD or it must not be compiled at run time. Its
 * tensors are its own: make them with `backend.tensor(shape, values)` and read them with `await tensor.read()`. For
 * updates in place on your own arrays use `cpuJs()`.
 *
 * `backend.name` says which it is.
 */
export async function autoBackend(): Promise<Backend> {
  return (await gpuBackend()) ?? (isSupported() ? wasm() : cpuJs());
}

async function gpuBackend(): Promise<Backend | undefined> {
  const gpu = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || adapter.info.isFallbackAdapter === true) return undefined;
  // Loaded where it is needed only.
  const { webgpu } = await import("@gradstep/webgpu");
  // An adapter need not have a device to give.
  return webgpu().catch(() => undefined);
}
