import type { Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { isSupported, wasm } from "@gradstep/wasm";

/** What `autoBackend` returns: a backend of any kind, which can be disposed of. */
export interface AutoBackend extends Backend {
  dispose(): void;
}

/** The part of a `GPUAdapter` that tells a GPU from software. Which properties exist depends on the browser's age. */
interface Adapter {
  readonly info?: { readonly isFallbackAdapter?: boolean };
  readonly isFallbackAdapter?: boolean;
}

/** The part of `navigator.gpu` that is used. */
interface Gpu {
  requestAdapter(options?: {
    powerPreference?: "low-power" | "high-performance";
  }): Promise<Adapter | null>;
}

/**
 * The fastest backend that works on this platform: WebGPU if there is a GPU (a software adapter does not count), else
 * `wasm()`, else `cpuJs()`, which works everywhere. Never rejects: if a backend cannot be created, for whatever reason, or
 * a GPU does not answer within five seconds, the next one is used. `backend.name` says which it is.
 *
 * Tensors are in the backend's memory: make them with `backend.tensor(shape, values)` and read them with
 * `await tensor.read()`. For in-place updates of your own arrays use `cpuJs()`.
 */
export async function autoBackend(): Promise<AutoBackend> {
  return (await gpuBackend()) ?? wasmBackend() ?? cpuJs();
}

async function gpuBackend(): Promise<AutoBackend | undefined> {
  try {
    const { gpu } = (globalThis as { navigator?: { gpu?: Gpu } }).navigator ?? {};
    return gpu && (await inTime(backendOf(gpu)));
  } catch {
    return undefined;
  }
}

async function backendOf(gpu: Gpu): Promise<AutoBackend | undefined> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter || isSoftware(adapter)) return undefined;
  // Loaded only where it is used.
  const { webgpu } = await import("@gradstep/webgpu");
  return webgpu();
}

/** How long a browser may take to give or refuse a GPU, in milliseconds: some never answer. */
const gpuTimeout = 5000;

/** Undefined for a backend that comes too late, which is disposed of then. */
async function inTime(pending: Promise<AutoBackend | undefined>): Promise<AutoBackend | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<"late">((resolve) => {
    timer = setTimeout(resolve, gpuTimeout, "late");
  });
  const first = await Promise.race([pending, timeout]).finally(() => clearTimeout(timer));
  if (first !== "late") return first;
  pending.then(
    (backend) => backend?.dispose(),
    () => {},
  );
  return undefined;
}

/** Chrome 113 to 131 and Deno have `isFallbackAdapter` on the adapter; `info` is missing or throws in some of them. */
function isSoftware(adapter: Adapter): boolean {
  return (
    flag(() => adapter.info?.isFallbackAdapter) ?? flag(() => adapter.isFallbackAdapter) ?? false
  );
}

function flag(read: () => boolean | undefined): boolean | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Undefined without WebAssembly with SIMD, where compiling is forbidden, and where no memory can be made. */
function wasmBackend(): AutoBackend | undefined {
  try {
    return isSupported() ? wasm() : undefined;
  } catch {
    return undefined;
  }
}
