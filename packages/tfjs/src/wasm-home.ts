import { GradstepError } from "@gradstep/core";
import { isSupported, wasm, type Heap, type WasmTensor } from "@gradstep/wasm";
import type { KernelBackend } from "@tensorflow/tfjs-core";
import { copyThrough, hostHome, type DataId, type DirectMemory, type Home } from "./home.js";

/** What is used of TF.js's emscripten module. */
interface WasmModule {
  readonly HEAPU8: Uint8Array;
  /** Where the module makes its own memory. */
  readonly asm?: { readonly memory?: unknown };
  /** Where it is given one: the build with threads. */
  readonly wasmMemory?: unknown;
  _malloc?(byteLength: number): number;
  _free?(address: number): void;
  readonly tfjs: {
    registerTensor(id: number, size: number, memoryOffset: number): void;
    disposeData(id: number): void;
  };
}

/** What is used of TF.js's wasm backend. */
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
 * The heap of TF.js's wasm backend. Kernels are WebAssembly in the same memory, and the optimizer's state is allocated
 * there with TF.js's own `malloc`; where the module keeps that to itself, or no WebAssembly may be compiled, they are
 * JavaScript on views of the heap.
 */
export function wasmHome(backend: KernelBackend): Home | undefined {
  if (!isWasmBackend(backend)) return undefined;
  const module = backend.wasm;
  const heap = isSupported() ? heapOf(module) : undefined;
  const memory: DirectMemory = {
    isExclusive: (dataId) => backend.refCount(dataId) === 1,
    // The buffer is looked up each time: growth replaces it and detaches every view.
    place(target, dataId) {
      const { buffer } = heap?.memory ?? module.HEAPU8;
      const { memoryOffset } = backend.dataIdMap.get(dataId);
      target.stage(new Float32Array(buffer, memoryOffset, target.size));
    },
    copyOf: (variable) => copyThrough(variable, backend),
    // XNNPACK packs the weights of matrix products and convolutions once for each tensor id and keeps them until the
    // id is disposed of. This forgets the packed copy; the memory itself belongs to the JavaScript side and stays.
    changed(dataId, size) {
      const { id, memoryOffset } = backend.dataIdMap.get(dataId);
      module.tfjs.disposeData(id);
      module.tfjs.registerTensor(id, size, memoryOffset);
    },
  };
  if (heap === undefined) return hostHome(memory);
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

/** Vectors are aligned to this, which TF.js's `malloc` does not promise. */
const alignment = 16;

function heapOf(module: WasmModule): Heap | undefined {
  const memory = module.asm?.memory ?? module.wasmMemory;
  const isKnown =
    memory instanceof WebAssembly.Memory &&
    typeof module._malloc === "function" &&
    typeof module._free === "function";
  if (!isKnown) return undefined;
  /** What `malloc` gave, by what is used of it. */
  const blocks = new Map<number, number>();
  return {
    memory,
    allocate(byteLength) {
      // Addresses are unsigned, and come signed.
      const block = module._malloc!(byteLength + alignment) >>> 0;
      if (block === 0) {
        throw new GradstepError(
          `TF.js's wasm heap of ${memory.buffer.byteLength} bytes has no room for ${byteLength} more, which the optimizer's state needs, and cannot grow. ` +
            `Dispose of tensors and optimizers that are done with, or train a smaller model.`,
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
