import {
  copyTensor,
  GradstepError,
  Packing,
  remapRows,
  type WrapOptions,
  type BatchRun,
  type HostArray,
  type Kernel,
  type LaidOutTensor,
  type ParameterCopy,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Tensor,
  type Variant,
} from "@gradstep/core";
import { wrappedTensor } from "@gradstep/core/internal";
import { createHeap } from "./memory/growable-heap.js";
import { isSharedMemory, type Heap } from "./memory/heap.js";
import { WasmTensor, type TensorContext } from "./memory/wasm-tensor.js";
import type { CheckedOptions } from "./options.js";
import type { ParallelRunner } from "./threads/parallel-runner.js";
import { threadsUnavailable } from "./threads/thread-support.js";
import type { Wasm } from "./wasm.js";
import { WasmKernels } from "./wasm-kernels.js";
import type { WasmMemory } from "./webassembly-types.js";

/** The implementation of `Wasm`. */
export class WasmBackend implements Wasm {
  readonly name = "wasm";
  readonly precision = "f32";
  readonly exact = true;
  readonly takesLayouts = true;
  readonly #packing = new Packing(this);
  readonly #heap: Heap;
  readonly #kernels: WasmKernels;
  readonly #tensorContext: TensorContext;
  readonly #diagnostics: string[] = [];
  #parallel: ParallelRunner | undefined;
  readonly #ready: Promise<void>;
  #isDisposed = false;

  /** @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_HYPERPARAMETER` */
  constructor(options: CheckedOptions) {
    const { threads, memoryLimit, modules, heap } = options;
    const reason = threads === 1 ? undefined : whyOneThread(options);
    const isParallel = threads > 1 && reason === undefined;
    this.#heap = heap ?? createHeap(memoryLimit, { shared: isParallel });
    this.#kernels = new WasmKernels({
      heap: this.#heap,
      packing: this.#packing,
      modules,
      checkStep: () => this.#checkStep(),
    });
    this.#tensorContext = {
      backend: this,
      heap: this.#heap,
      isShared: isSharedMemory(this.memory),
      onRelocate: () => this.#kernels.invalidate(),
    };
    if (reason !== undefined)
      this.#diagnostics.push(`One thread instead of ${threads}: ${reason}.`);
    this.#ready = isParallel ? this.#loadThreads(options) : Promise.resolve();
  }

  get memory(): WasmMemory {
    return this.#heap.memory;
  }

  get diagnostics(): readonly string[] {
    return [...this.#diagnostics, ...(this.#parallel?.diagnostics ?? [])];
  }

  ready(): Promise<void> {
    return this.#ready;
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmTensor {
    const source = values && this.#copyIfInMemory(values);
    const tensor = this.#tensor(shape).allocate();
    if (source === undefined) {
      tensor.view().fill(0);
      return tensor;
    }
    try {
      tensor.write(source);
    } catch (error) {
      tensor.free();
      throw error;
    }
    return tensor;
  }

  staging(shape: readonly number[]): StagingTensor {
    return this.#tensor(shape);
  }

  wrap(memory: Float32Array, options?: WrapOptions): WasmTensor;
  wrap(memory: HostArray, options?: WrapOptions): WasmTensor | LaidOutTensor {
    const makePlain = (
      shape: readonly number[],
      values: Float32Array,
      reserved: Float32Array,
    ): WasmTensor | undefined => {
      if (values.buffer === this.memory.buffer)
        return this.#tensor(shape, values.byteOffset, reserved.length);
      // Arrays with a stride are copied in each step, wherever they are.
      if (options?.rowStride !== undefined) return undefined;
      throw new GradstepError(
        `Got an array outside this backend's memory; expected a view of the memory's current buffer. ` +
          `Copy the values with backend.tensor(shape, values), use cpuJs() to update arrays in place, or give rowStride: then each step copies the values in and out.`,
        { code: "INVALID_MEMORY" },
      );
    };
    return wrappedTensor(this, memory, options, { makePlain, growing: this.memory });
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    this.#checkLive();
    remapRows(moves, sources, (values) => this.#copyIfInMemory(values));
  }

  copy(source: Tensor, target: Tensor): void {
    copyTensor(source, target);
  }

  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    this.#packing.fillCopy(parameter, copy);
  }

  compile(variant: Variant): Kernel {
    return this.#kernels.compile(variant);
  }

  runTogether(runs: readonly BatchRun[]): void {
    this.#kernels.runTogether(runs);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#kernels.invalidate();
    this.#parallel?.dispose();
  }

  /** Loads the code for threads, starts them, and recompiles for them what was compiled until then. */
  async #loadThreads(options: CheckedOptions): Promise<void> {
    const { threads } = options;
    const loading = `Steps run on one thread until the code for ${threads} threads is loaded: await backend.ready().`;
    this.#diagnostics.push(loading);
    let parallel: ParallelRunner | undefined;
    try {
      const { ParallelRunner } = await import("./threads/parallel-runner.js");
      if (this.#isDisposed) return;
      parallel = new ParallelRunner(this.#heap, this.#kernels.batch, options);
      this.#kernels.useThreads(parallel);
      this.#parallel = parallel;
    } catch (error) {
      parallel?.dispose();
      this.#diagnostics.push(`One thread instead of ${threads}: ${String(error)}`);
    } finally {
      this.#diagnostics.splice(this.#diagnostics.indexOf(loading), 1);
    }
  }

  /** The values, or a copy if they are in this memory: growth would detach them. */
  #copyIfInMemory<T extends object>(values: T): T {
    const isInMemory = ArrayBuffer.isView(values) && values.buffer === this.memory.buffer;
    return isInMemory && "slice" in values ? (values as unknown as { slice(): T }).slice() : values;
  }

  #tensor(shape: readonly number[], address?: number, capacity?: number): WasmTensor {
    this.#checkLive();
    return new WasmTensor(this.#tensorContext, shape, address, capacity);
  }

  #checkStep(): void {
    this.#checkLive();
    this.#parallel?.throwPendingError();
  }

  #checkLive(): void {
    if (this.#isDisposed)
      throw new GradstepError("The backend was disposed; make a new one.", { code: "DISPOSED" });
  }
}

/** Why several threads are not possible with these options; undefined if they are. */
function whyOneThread({ heap, modules }: CheckedOptions): string | undefined {
  if (heap !== undefined) return "the memory of a heap option is not shared with workers";
  if (modules.length > 0) return "precompiled modules run on one thread";
  return threadsUnavailable();
}
