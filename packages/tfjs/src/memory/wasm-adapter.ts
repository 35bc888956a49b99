import { GradstepError } from "@gradstep/core";
import { isSupported, wasm, type Heap, type WasmTensor } from "@gradstep/wasm";
import type { KernelBackend } from "@tensorflow/tfjs-core";
import {
  copyThrough,
  hostAdapter,
  type DataId,
  type DirectMemory,
  type MemoryAdapter,
} from "./memory-adapter.js";

/** The members of TF.js's Emscripten module that are used. */
interface WasmModule {
  readonly HEAPU8: Uint8Array;
  /** Has the memory where the module allocates its own. */
  readonly asm?: { readonly memory?: unknown };
  /** Has the memory where it is passed in: in the build with threads. */
  readonly wasmMemory?: unknown;
  _malloc?(byteLength: number): number;
  _free?(address: number): void;
  readonly tfjs: {
    registerTensor(id: number, size: number, memoryOffset: number): void;
    disposeData(id: number): void;
  };
}

/** The members of TF.js's wasm backend that are used. */
interface WasmBackend {
  readonly wasm: WasmModule;
  readonly dataIdMap: {
    get(dataId: DataId): {
      readonly id: number;
      readonly memoryOffset: number;
      readonly shape: readonly number[];
    };
  };
  refCount(dataId: DataId): number;
}

/**
 * The heap of TF.js's wasm backend. The kernels are WebAssembly in the same memory, and the optimizer's state is
 * allocated there with TF.js's own `malloc`. Where the module hides its memory, or WebAssembly may not be compiled, the
 * kernels are JavaScript on views of the heap.
 */
export function wasmAdapter(backend: KernelBackend): MemoryAdapter | undefined {
  if (!isWasmBackend(backend)) return undefined;
  const module = backend.wasm;
  const heap = isSupported() ? heapOf(module) : undefined;
  const memory: DirectMemory = {
    isExclusive: (dataId) => backend.refCount(dataId) === 1,
    // The buffer is looked up each time: growth replaces it and detaches every view.
    bind(target, dataId) {
      const { buffer } = heap?.memory ?? module.HEAPU8;
      const { memoryOffset } = backend.dataIdMap.get(dataId);
      target.stage(new Float32Array(buffer, memoryOffset, target.size));
    },
    copyOf: (variable) => copyThrough(variable, backend),
    // XNNPACK packs the weights of matrix products and convolutions once per tensor id and keeps them until the id is
    // disposed of. This drops the packed copy; the memory itself is managed by the JavaScript side and stays.
    markChanged(dataId, size) {
      const { id, memoryOffset } = backend.dataIdMap.get(dataId);
      module.tfjs.disposeData(id);
      module.tfjs.registerTensor(id, size, memoryOffset);
    },
  };
  if (heap === undefined) return hostAdapter(memory);
  return {
    compute: wasm({ heap }),
    memory,
    readSync: (tensor) => (tensor as WasmTensor).view(),
  };
}

function isWasmBackend(backend: unknown): backend is WasmBackend {
  const { wasm: module, dataIdMap, refCount } = backend as Partial<WasmBackend>;
  return (
    module?.HEAPU8 instanceof Uint8Array &&
    typeof module.tfjs?.registerTensor === "function" &&
    typeof module.tfjs.disposeData === "function" &&
    typeof dataIdMap?.get === "function" &&
    typeof refCount === "function"
  );
}

/** Vectors are aligned to this number of bytes, which TF.js's `malloc` does not promise. */
const alignment = 16;

function heapOf(module: WasmModule): Heap | undefined {
  const memory = module.asm?.memory ?? module.wasmMemory;
  const isKnown =
    memory instanceof WebAssembly.Memory &&
    typeof module._malloc === "function" &&
    typeof module._free === "function";
  if (!isKnown) return undefined;
  /** Addresses that `malloc` returned, by the aligned addresses in them. */
  const blocks = new Map<number, number>();
  return {
    memory,
    allocate(byteLength) {
      // Addresses are unsigned; Emscripten returns them signed.
      const block = module._malloc!(byteLength + alignment) >>> 0;
      if (block === 0) {
        throw new GradstepError(
          `TF.js's wasm heap of ${memory.buffer.byteLength} bytes cannot grow by the ${byteLength} bytes that the optimizer's state needs. ` +
            `Dispose of tensors and optimizers that are no longer used, or train a smaller model.`,
          { code: "OUT_OF_MEMORY" },
        );
      }
      const address = Math.ceil(block / alignment) * alignment;
      blocks.set(address, block);
      return address;
    },
    free(address) {
      const block = blocks.get(address);
      if (block === undefined) return;
      blocks.delete(address);
      module._free!(block);
    },
  };
}
