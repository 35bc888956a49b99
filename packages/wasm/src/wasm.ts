import type { HostArray, LaidOutTensor, WrapOptions, WrappingBackend } from "@gradstep/core";
import type { WasmTensor } from "./memory/wasm-tensor.js";
import type { WasmMemory } from "./webassembly-types.js";

/** A backend in WebAssembly. Its results are bit-identical to the f32 reference. */
export interface Wasm extends WrappingBackend<HostArray> {
  /** The memory of all tensors. When it grows, its `buffer` is replaced. */
  readonly memory: WasmMemory;
  /** How the backend differs from what was asked for, and why: one sentence each. */
  readonly diagnostics: readonly string[];
  /**
   * Resolves once the threads are ready to take part in steps, or cannot be: then `diagnostics` says why. Until then
   * steps run on one thread, with the same bits.
   */
  ready(): Promise<void>;
  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmTensor;
  /**
   * A tensor over a part of this backend's memory: a view of it, from another wasm module or another tensor.
   * @throws {GradstepError} `INVALID_MEMORY` for an array in other memory, `INVALID_SHAPE`, `UNKNOWN_OPTION`
   */
  wrap(
    memory: Float32Array,
    options?: WrapOptions & { readonly rowStride?: undefined },
  ): WasmTensor;
  wrap(memory: HostArray, options?: WrapOptions): WasmTensor | LaidOutTensor;
  /** Ends the threads. Afterwards nothing can be allocated or run; values can still be read. */
  dispose(): void;
}
