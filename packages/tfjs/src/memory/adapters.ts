import { engine, type KernelBackend } from "@tensorflow/tfjs-core";
import { cpuAdapter } from "./cpu-adapter.js";
import { copyAdapter, type MemoryAdapter } from "./memory-adapter.js";
import { wasmAdapter } from "./wasm-adapter.js";
import { webgpuAdapter } from "./webgpu-adapter.js";

const makers: Readonly<Record<string, (backend: KernelBackend) => MemoryAdapter | undefined>> = {
  cpu: cpuAdapter,
  wasm: wasmAdapter,
  webgpu: webgpuAdapter,
};

const known = new WeakMap<KernelBackend, MemoryAdapter>();

/** The adapter for steps while TF.js computes on that backend; always the same for the same backend. */
export function adapterOf(backend: KernelBackend): MemoryAdapter {
  let adapter = known.get(backend);
  if (adapter === undefined) {
    const { registry } = engine();
    // By name, not by shape alone: the storage of another backend may look alike and be only a cache.
    const name = Object.keys(makers).find((one) => registry[one] === backend);
    adapter = (name === undefined ? undefined : makers[name](backend)) ?? copyAdapter;
    known.set(backend, adapter);
  }
  return adapter;
}
