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
import { Batch } from "./batch.js";
import { Crew, type SharedKernel } from "./crew.js";
import { createArena, type Heap } from "./heap.js";
import { kernelModule } from "./kernel-module.js";
import { Pace } from "./pace.js";
import { memoryImport } from "./module.js";
import { checkOptions, type CheckedOptions, type WasmOptions } from "./options.js";
import { hasSimd } from "./support.js";
import { WasmTensor } from "./wasm-tensor.js";
import { whyNoThreads } from "./worker.js";

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

/** Below so many elements a step is over before the workers are awake. */
const worthSharing = 250_000;

/**
 * WebAssembly SIMD, compiled from the rule in about a millisecond, on one thread or several.
 *
 * @throws {GradstepError} `UNSUPPORTED` (no WebAssembly SIMD here), `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`,
 * `OUT_OF_MEMORY`
 */
export function wasm(options: WasmOptions = {}): Wasm {
  const checked = checkOptions(options);
  if (!hasSimd()) {
    throw new GradstepError("There is no WebAssembly SIMD here; use cpuJs() of @gradstep/cpu-js.", {
      code: "UNSUPPORTED",
    });
  }
  return new WasmBackend(checked);
}

type Run = (rows: number, count: number) => void;

interface Compiled {
  readonly run: Run;
  readonly shared: SharedKernel | undefined;
}

class WasmBackend implements Wasm {
  readonly name = "wasm";
  readonly precision = "f32";
  readonly exact = true;
  readonly #heap: Heap;
  readonly #batch: Batch;
  readonly #crew: Crew | undefined;
  readonly #diagnostics: string[] = [];
  readonly #kernels = new WeakMap<Variant, Kernel>();
  readonly #compiled = new Map<string, Compiled>();
  readonly #shareFrom: number | undefined;
  #disposed = false;

  constructor(options: CheckedOptions) {
    const { threads, shareFrom, memoryLimit, modules, heap, workerUrl } = options;
    this.#shareFrom = shareFrom;
    const why =
      threads === 1
        ? undefined
        : heap !== undefined
          ? "the memory is not its own"
          : modules.length > 0
            ? "its modules were compiled for one"
            : whyNoThreads();
    if (why !== undefined) this.#diagnostics.push(`One thread instead of ${threads}: ${why}.`);
    const isShared = threads > 1 && why === undefined;
    this.#heap = heap ?? createArena(isShared, memoryLimit);
    this.#batch = new Batch(this.#heap);
    if (isShared) this.#crew = new Crew(this.#heap, { threads, workerUrl });
    for (const module of modules) {
      const { exports } = this.#instantiate(module);
      for (const [fingerprint, run] of Object.entries(exports))
        this.#compiled.set(fingerprint, { run: run as Run, shared: undefined });
    }
  }

  get memory(): WebAssembly.Memory {
    return this.#heap.memory;
  }

  get diagnostics(): readonly string[] {
    return [...this.#diagnostics, ...(this.#crew?.diagnostics ?? [])];
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): WasmTensor {
    const tensor = this.#tensor(shape).allocate();
    if (values === undefined) {
      tensor.view().fill(0);
      return tensor;
    }
    try {
      tensor.write(values);
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
    this.#checkLive();
    remapRows(moves, sources);
  }

  compile(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      const { fingerprint, source } = variant.perElement;
      const compiled = this.#compiled.get(fingerprint) ?? this.#compile(variant);
      this.#compiled.set(fingerprint, compiled);
      /** By the logarithm of the size: what holds of a large batch need not hold of a small one. */
      const paces: Pace[] = [];
      kernel = {
        source,
        run: (updates, count) => {
          this.#checkLive();
          const crew = this.#crew;
          crew?.check();
          const batch = this.#batch;
          batch.fill(variant, updates, count);
          const { run, shared } = compiled;
          const from = this.#shareFrom;
          if (
            shared === undefined ||
            batch.elements < (from ?? worthSharing) ||
            crew!.workers === 0
          ) {
            run(batch.rows, batch.count);
            return;
          }
          if (from !== undefined) {
            batch.divide();
            crew!.run(shared, batch);
            return;
          }
          const pace = (paces[Math.clz32(batch.elements)] ??= new Pace());
          const isShared = pace.begin();
          if (isShared) {
            batch.divide();
            crew!.run(shared, batch);
          } else run(batch.rows, batch.count);
          pace.end(isShared, batch.elements);
        },
      };
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }

  dispose(): void {
    this.#disposed = true;
    this.#crew?.dispose();
  }

  #tensor(shape: readonly number[], address?: number, room?: number): WasmTensor {
    this.#checkLive();
    return new WasmTensor(this, this.#heap, shape, address, room);
  }

  #compile(variant: Variant): Compiled {
    const isShared = this.#crew !== undefined;
    const bytes = kernelModule([variant], isShared);
    let exports: WebAssembly.Exports;
    try {
      ({ exports } = this.#instantiate(new WebAssembly.Module(bytes)));
    } catch (cause) {
      throw new GradstepError(
        `This host forbids compiling wasm at run time: ${String(cause)}. Pass the rule's compiled module, such as ` +
          `wasm({ modules: [module] }) with @gradstep/wasm/rules/${variant.rule}.wasm; a rule of your own needs cpuJs().`,
        { code: "UNSUPPORTED", cause },
      );
    }
    const run = exports[variant.perElement.fingerprint] as Run;
    if (!isShared) return { run, shared: undefined };
    const address = this.#heap.allocate(4 + bytes.length);
    const { buffer } = this.memory;
    new Int32Array(buffer, address, 1)[0] = bytes.length;
    new Uint8Array(buffer, address + 4, bytes.length).set(bytes);
    const { open, share } = exports as unknown as Pick<SharedKernel, "open" | "share">;
    return { run, shared: { address, open, share } };
  }

  #instantiate(module: WebAssembly.Module): WebAssembly.Instance {
    return new WebAssembly.Instance(module, {
      [memoryImport.module]: { [memoryImport.name]: this.memory },
    });
  }

  #checkLive(): void {
    if (this.#disposed)
      throw new GradstepError("The backend was disposed; make a new one.", { code: "DISPOSED" });
  }
}
