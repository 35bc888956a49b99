import {
  GradstepError,
  remapRows,
  wrapArray,
  type Kernel,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Variant,
  type WrapOptions,
  type WrappingBackend,
} from "@gradstep/core";
import { Batch } from "./batch/batch-table.js";
import { isSharedMemory, type Heap } from "./memory/growable-heap.js";
import { memoryImport } from "./memory/layout.js";
import { WasmTensor, type TensorHome } from "./memory/wasm-tensor.js";

/** A backend in the memory of a wasm module: gives the bits of the f32 reference. */
export interface Wasm extends WrappingBackend<Float32Array> {
  /** Where all of its tensors lie. It grows; its `buffer` then is another one. */
  readonly memory: WebAssembly.Memory;
  /** What is not as it was asked for, and why: one sentence each. */
  readonly diagnostics: readonly string[];
  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmTensor;
  /**
   * A tensor over a part of this backend's memory: a view that another wasm module, or another tensor, gave.
   * @throws {GradstepError} `INVALID_MEMORY` for an array that lies elsewhere, `INVALID_SHAPE`, `UNKNOWN_OPTION`
   */
  wrap(memory: Float32Array, options?: WrapOptions): WasmTensor;
  /** Ends its threads; nothing can be allocated or run any more. Values can still be read. */
  dispose(): void;
}

/** A kernel of a module: updates `count` tensors, whose rows lie at the address `rows`. */
export type Run = (rows: number, count: number) => void;

/** The ways in which a backend runs a variant. */
export type Runner = Pick<Kernel, "run" | "repeater">;

/** Tensors, rows and the tables of steps in wasm memory. Where kernels come from, and who runs them, is up to its heir. */
export abstract class MemoryBackend implements Wasm {
  readonly name = "wasm";
  readonly precision = "f32";
  readonly exact = true;
  protected readonly heap: Heap;
  protected readonly batch: Batch;
  /** Kernels of modules that were compiled before, by fingerprint. */
  protected readonly given = new Map<string, Run>();
  readonly #kernels = new WeakMap<Variant, Kernel>();
  readonly #home: TensorHome;
  #disposed = false;

  constructor(heap: Heap, modules: readonly WebAssembly.Module[]) {
    this.heap = heap;
    this.batch = new Batch(heap);
    this.#home = {
      backend: this,
      heap,
      isShared: isSharedMemory(heap.memory),
      moved: () => this.batch.forget(),
    };
    for (const module of modules) {
      for (const [fingerprint, run] of Object.entries(this.instantiate(module).exports))
        this.given.set(fingerprint, run as Run);
    }
  }

  get memory(): WebAssembly.Memory {
    return this.heap.memory;
  }

  get diagnostics(): readonly string[] {
    return [];
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmTensor {
    const given = values && this.#outside(values);
    const tensor = this.#tensor(shape).allocate();
    if (given === undefined) {
      tensor.view().fill(0);
      return tensor;
    }
    try {
      tensor.write(given);
    } catch (error) {
      tensor.free();
      throw error;
    }
    return tensor;
  }

  staging(shape: readonly number[]): StagingTensor {
    return this.#tensor(shape);
  }

  wrap(memory: Float32Array, options?: WrapOptions): WasmTensor {
    const { shape, values, room } = wrapArray(Float32Array, memory, options);
    if (values.buffer !== this.memory.buffer) {
      throw new GradstepError(
        `Got an array in memory of its own to wrap; expected a view of this backend's memory, as it is now. ` +
          `Copy the values with backend.tensor(shape, values), or use cpuJs() to work on arrays in place.`,
        { code: "INVALID_MEMORY" },
      );
    }
    return this.#tensor(shape, values.byteOffset, room.length);
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    this.checkLive();
    const { count, indices, resetRows } = sources;
    remapRows(moves, {
      count,
      indices: this.#outside(indices),
      resetRows: resetRows && this.#outside(resetRows),
    });
  }

  compile(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      kernel = { source: variant.perElement.source, ...this.runnerOf(variant) };
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }

  dispose(): void {
    this.#disposed = true;
    this.batch.forget();
  }

  /** What runs a variant. Called once for each. @throws {GradstepError} `UNSUPPORTED` */
  protected abstract runnerOf(variant: Variant): Runner;

  /** Runs the rows of the batch with a module's kernel, on this thread. */
  protected alone(run: Run): () => void {
    const { batch } = this;
    return () => run(batch.rows, batch.count);
  }

  /** A runner of what runs the rows of the batch; with a check to be made before anything changes. */
  protected runnerOn(variant: Variant, runRows: () => void, check?: () => void): Runner {
    const { batch } = this;
    const repeat = (): void => {
      batch.refresh();
      runRows();
    };
    return {
      run: (updates, count) => {
        this.checkLive();
        check?.();
        batch.fill(variant, updates, count);
        runRows();
      },
      repeater: (updates) => {
        if (!batch.holds(variant, updates)) return undefined;
        check?.();
        return repeat;
      },
    };
  }

  /** The same, or a copy of what lies in this memory: growth detaches that. */
  #outside<T extends object>(values: T): T {
    const isInside = ArrayBuffer.isView(values) && values.buffer === this.memory.buffer;
    return isInside && "slice" in values ? (values as unknown as { slice(): T }).slice() : values;
  }

  #tensor(shape: readonly number[], address?: number, room?: number): WasmTensor {
    this.checkLive();
    return new WasmTensor(this.#home, shape, address, room);
  }

  protected instantiate(module: WebAssembly.Module): WebAssembly.Instance {
    return new WebAssembly.Instance(module, {
      [memoryImport.module]: { [memoryImport.name]: this.memory },
    });
  }

  protected checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The backend was disposed; make a new one.", { code: "DISPOSED" });
  }
}
