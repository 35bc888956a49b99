import type { Backend } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { isSupported, wasm } from "@gradstep/wasm";
import { webgpu } from "@gradstep/webgpu";

export const backendNames = ["cpu-js", "cpu-js-exact", "wasm", "wasm-threads", "webgpu"] as const;

export type BackendName = (typeof backendNames)[number];

/** What the pages call the backends. */
export const backendTitles: Readonly<Record<BackendName, string>> = {
  "cpu-js": "JavaScript",
  "cpu-js-exact": "JavaScript, exact",
  wasm: "WebAssembly",
  "wasm-threads": "WebAssembly, threads",
  webgpu: "WebGPU",
};

/** Whether a backend works in this browser. */
export interface Availability {
  readonly name: BackendName;
  /** Why it does not, as a sentence with what to do, if it does not. */
  readonly reason?: string;
  /** What it runs on, such as the name of the GPU. */
  readonly detail?: string;
}

/** A backend that can be disposed of. */
export interface DisposableBackend extends Backend {
  dispose(): void;
}

/** Opens a backend, on a page or in a worker. @throws {GradstepError} `UNSUPPORTED` if this browser lacks it */
export async function openBackend(name: BackendName): Promise<DisposableBackend> {
  switch (name) {
    case "cpu-js":
      return cpuJs();
    case "cpu-js-exact":
      return cpuJs({ exact: true });
    case "wasm":
      return wasm();
    case "wasm-threads":
      return wasm({ threads: threadCount() });
    case "webgpu":
      return webgpu();
  }
}

/** What this browser has. Requests an adapter, and no device. */
export async function availableBackends(): Promise<readonly Availability[]> {
  return Promise.all(backendNames.map(availabilityOf));
}

async function availabilityOf(name: BackendName): Promise<Availability> {
  switch (name) {
    case "cpu-js":
    case "cpu-js-exact":
      return { name };
    case "wasm":
      return isSupported() ? { name } : { name, reason: noSimd };
    case "wasm-threads":
      return threadsAvailability();
    case "webgpu":
      return gpuAvailability();
  }
}

const noSimd =
  "This browser has no WebAssembly with SIMD. Chrome 91, Firefox 89 and Safari 16.4 have it.";

function threadsAvailability(): Availability {
  const name = "wasm-threads";
  if (!isSupported()) return { name, reason: noSimd };
  if (!globalThis.crossOriginIsolated) {
    return {
      name,
      reason:
        "Threads share memory, which needs a page that is cross-origin isolated: served with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp.",
    };
  }
  if (threadCount() === 1) return { name, reason: "This machine has one processor." };
  return { name, detail: `${threadCount()} threads` };
}

/** Threads of a wasm backend: 2 to 8 where there are several processors, of which one is left to the page. */
export function threadCount(processors = navigator.hardwareConcurrency): number {
  return processors === 1 ? 1 : Math.max(2, Math.min(8, processors - 1));
}

async function gpuAvailability(): Promise<Availability> {
  const name = "webgpu";
  const { gpu } = navigator as { readonly gpu?: GPU };
  if (gpu === undefined) {
    const reason = globalThis.isSecureContext
      ? "This browser has no WebGPU. Chrome and Edge 113, Safari 26, and Firefox 141 on Windows have it."
      : "WebGPU needs a secure context: HTTPS, or localhost.";
    return { name, reason };
  }
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) {
      return { name, reason: "WebGPU found no GPU: the browser may block this GPU or its driver." };
    }
    return { name, detail: describe(adapter.info) };
  } catch (error) {
    return {
      name,
      reason: `WebGPU failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function describe({
  description,
  vendor,
  architecture,
  isFallbackAdapter,
}: GPUAdapterInfo): string {
  const device = description || [vendor, architecture].filter(Boolean).join(" ") || "a GPU";
  return isFallbackAdapter ? `${device}, in software` : device;
}
