import { GradstepError, type Variant } from "@gradstep/core";
import { Chunks } from "./threads/chunk-table.js";
import { Crew, type SharedKernel } from "./threads/worker-pool.js";
import { createArena, isSharedMemory } from "./memory/growable-heap.js";
import { kernelModule } from "./codegen/kernel-module.js";
import { MemoryBackend, type Run, type Runner, type Wasm } from "./memory-backend.js";
import { checkWasmOptions, type CheckedOptions, type WasmOptions } from "./options.js";
import { Pace } from "./threads/thread-count-tuner.js";
import { hasSimd } from "./feature-detection.js";
import { whyNoThreads } from "./threads/worker.js";

/** Below so many elements a step is over before the workers are awake. */
const worthSharing = 65_536;

/**
 * WebAssembly SIMD, compiled from the rule in a few milliseconds, on one thread or several.
 *
 * @throws {GradstepError} `UNSUPPORTED` (no WebAssembly SIMD here), `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`,
 * `OUT_OF_MEMORY`
 */
export function wasm(options: WasmOptions = {}): Wasm {
  const checked = checkWasmOptions(options);
  if (!hasSimd()) {
    throw new GradstepError("There is no WebAssembly SIMD here; use cpuJs() of @gradstep/cpu-js.", {
      code: "UNSUPPORTED",
    });
  }
  return new WasmBackend(checked);
}

interface Compiled {
  readonly run: Run;
  readonly shared: SharedKernel | undefined;
}

class WasmBackend extends MemoryBackend {
  readonly #crew: Crew | undefined;
  readonly #chunks: Chunks;
  readonly #diagnostics: string[] = [];
  readonly #compiled = new Map<string, Compiled>();
  readonly #shareFrom: number | undefined;

  constructor(options: CheckedOptions) {
    const { threads, shareFrom, memoryLimit, modules, heap, workerUrl } = options;
    const why =
      threads === 1
        ? undefined
        : heap !== undefined
          ? "the memory is not its own"
          : modules.length > 0
            ? "its modules were compiled for one"
            : whyNoThreads();
    const isShared = threads > 1 && why === undefined;
    super(heap ?? createArena(isShared, memoryLimit), modules);
    this.#shareFrom = shareFrom;
    this.#chunks = new Chunks(this.heap, this.batch);
    if (why !== undefined) this.#diagnostics.push(`One thread instead of ${threads}: ${why}.`);
    if (isShared) this.#crew = new Crew(this.heap, { threads, workerUrl });
  }

  override get diagnostics(): readonly string[] {
    return [...this.#diagnostics, ...(this.#crew?.diagnostics ?? [])];
  }

  override dispose(): void {
    super.dispose();
    this.#crew?.dispose();
  }

  protected override runnerOf(variant: Variant): Runner {
    const { fingerprint } = variant.perElement;
    const given = this.given.get(fingerprint);
    if (given !== undefined) return this.runnerOn(variant, this.alone(given));
    const { run, shared } = this.#compiled.get(fingerprint) ?? this.#compile(variant);
    this.#compiled.set(fingerprint, { run, shared });
    return shared === undefined
      ? this.runnerOn(variant, this.alone(run))
      : this.#sharedRunner(variant, this.alone(run), shared, this.#crew!);
  }

  /** A runner of several threads, where that takes less time. */
  #sharedRunner(variant: Variant, alone: () => void, shared: SharedKernel, crew: Crew): Runner {
    const { batch } = this;
    const chunks = this.#chunks;
    const from = this.#shareFrom;
    /** By the logarithm of the size: what holds of a large batch need not hold of a small one. */
    const paces: Pace[] = [];
    const runRows = (): void => {
      if (batch.elements < (from ?? worthSharing) || crew.workers === 0) {
        alone();
        return;
      }
      // Also where this one is not shared: one that repeats it may not fail for want of room.
      chunks.divide();
      if (from !== undefined) {
        crew.run(shared, chunks);
        return;
      }
      const pace = (paces[Math.clz32(batch.elements)] ??= new Pace());
      const isShared = pace.begin();
      if (isShared) crew.run(shared, chunks);
      else alone();
      pace.end(isShared, batch.elements);
    };
    return this.runnerOn(variant, runRows, () => crew.check());
  }

  #compile(variant: Variant): Compiled {
    const bytes = kernelModule([variant], { shared: isSharedMemory(this.memory) });
    let exports: WebAssembly.Exports;
    try {
      ({ exports } = this.instantiate(new WebAssembly.Module(bytes)));
    } catch (cause) {
      throw new GradstepError(
        `This host forbids compiling wasm at run time: ${String(cause)}. Pass the rule's compiled module, such as ` +
          `wasm({ modules: [module] }) with @gradstep/wasm/rules/${variant.rule}.wasm; a rule of your own needs cpuJs().`,
        { code: "UNSUPPORTED", cause },
      );
    }
    const run = exports[variant.perElement.fingerprint] as Run;
    if (this.#crew === undefined) return { run, shared: undefined };
    const address = this.heap.allocate(4 + bytes.length);
    const { buffer } = this.memory;
    new Int32Array(buffer, address, 1)[0] = bytes.length;
    new Uint8Array(buffer, address + 4, bytes.length).set(bytes);
    const { open, share } = exports as unknown as Pick<SharedKernel, "open" | "share">;
    return { run, shared: { address, open, share } };
  }
}
