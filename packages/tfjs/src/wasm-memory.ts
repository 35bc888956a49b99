import type { KernelBackend } from "@tensorflow/tfjs-core";
import type { DataId, DirectMemory } from "./direct-memory.js";

/** What is used of TF.js's wasm backend. */
interface WasmBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    readonly tfjs: {
      registerTensor(id: number, size: number, memoryOffset: number): void;
      disposeData(id: number): void;
    };
  };
  readonly dataIdMap: {
    get(dataId: DataId): { readonly id: number; readonly memoryOffset: number };
  };
  refCount(dataId: DataId): number;
}

/** The heap of TF.js's wasm backend. */
export function wasmMemory(backend: KernelBackend): DirectMemory | undefined {
  if (!isWasmBackend(backend)) return undefined;
  return {
    isExclusive: (dataId) => backend.refCount(dataId) === 1,
    // The heap's buffer is looked up each time: growth replaces it and detaches every view.
    view: (dataId, size) =>
      new Float32Array(
        backend.wasm.HEAPU8.buffer,
        backend.dataIdMap.get(dataId).memoryOffset,
        size,
      ),
    // XNNPACK packs the weights of matrix products and convolutions once for each tensor id and keeps them until the
    // id is disposed of. This forgets the packed copy; the memory itself belongs to the JavaScript side and stays.
    changed(dataId, size) {
      const { id, memoryOffset } = backend.dataIdMap.get(dataId);
      backend.wasm.tfjs.disposeData(id);
      backend.wasm.tfjs.registerTensor(id, size, memoryOffset);
    },
  };
}

function isWasmBackend(backend: unknown): backend is WasmBackend {
  const { wasm, dataIdMap, refCount } = backend as Partial<WasmBackend>;
  return (
    wasm?.HEAPU8 instanceof Uint8Array &&
    typeof wasm.tfjs?.registerTensor === "function" &&
    typeof wasm.tfjs.disposeData === "function" &&
    typeof dataIdMap?.get === "function" &&
    typeof refCount === "function"
  );
}
