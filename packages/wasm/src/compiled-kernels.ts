import { GradstepError, type Variant } from "@gradstep/core";
import { instantiateVariant } from "./codegen/instantiate-variant.js";
import { instantiate, type Exports, type RunKernel } from "./codegen/instantiate.js";
import type { Heap } from "./memory/heap.js";
import { CompiledPasses, compilePasses, functionsOf } from "./passes/compiled-passes.js";
import { planOf } from "./planning/pass-plan.js";
import type { Relocations } from "./planning/pass-table.js";
import type { RowBlocks } from "./planning/row-blocks.js";
import type { ParallelRunner } from "./threads/parallel-runner.js";
import type { WasmModule } from "./webassembly-types.js";

/** What runs the entries of the batch with the kernel of a variant. */
export interface CompiledVariant {
  readonly variant: Variant;
  /** Replaced once the threads are ready. */
  runBatch: () => void;
}

/** The kernels of a backend, by fingerprint: those of the user's modules, and those that are compiled on demand. */
export class CompiledKernels {
  readonly #heap: Heap;
  readonly #rows: RowBlocks;
  readonly #relocations: Relocations;
  /** The functions of the modules that the user supplied. */
  readonly #precompiled: Record<string, unknown> = {};
  readonly #compiled = new Map<string, CompiledVariant>();
  /** The same for variants with several passes. */
  readonly #compiledPasses = new Map<string, CompiledPasses>();
  #parallel: ParallelRunner | undefined;

  constructor(heap: Heap, rows: RowBlocks, relocations: Relocations) {
    this.#heap = heap;
    this.#rows = rows;
    this.#relocations = relocations;
  }

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` for a module that is not one of kernels for this memory */
  addModule(module: WasmModule): void {
    let exports: Exports;
    try {
      exports = instantiate(module, this.#heap.memory);
    } catch (cause) {
      throw new GradstepError(
        `wasm: modules has one that cannot be instantiated: ${String(cause)}. Expected those of ` +
          `@gradstep/wasm/rules/, or of kernelModule(rule) of the same version.`,
        { code: "INVALID_HYPERPARAMETER", cause },
      );
    }
    Object.assign(this.#precompiled, exports);
  }

  /** The kernel of a variant with one pass over elements. @throws {GradstepError} `UNSUPPORTED` */
  kernel(variant: Variant): CompiledVariant {
    const { fingerprint } = variant.perElement;
    const precompiled = this.#precompiled[fingerprint] as RunKernel | undefined;
    if (precompiled !== undefined) return { variant, runBatch: this.#onOneThread(precompiled) };
    let compiled = this.#compiled.get(fingerprint);
    if (compiled === undefined) {
      const runBatch =
        this.#parallel?.compile(variant, this.#rows) ?? this.#compileForOneThread(variant);
      compiled = { variant, runBatch };
      this.#compiled.set(fingerprint, compiled);
    }
    return compiled;
  }

  /** The passes of any other variant. @throws {GradstepError} `UNSUPPORTED` */
  passes(variant: Variant): CompiledPasses {
    const { fingerprint } = variant.perElement;
    let passes = this.#compiledPasses.get(fingerprint);
    if (passes === undefined) {
      const plan = planOf(variant);
      const precompiled = functionsOf(plan, this.#precompiled);
      const functions = precompiled ?? compilePasses(plan, this.#heap);
      passes = new CompiledPasses(this.#heap, plan, this.#relocations, functions);
      if (this.#parallel !== undefined) passes.useThreads(this.#parallel.compilePass);
      this.#compiledPasses.set(fingerprint, passes);
    }
    return passes;
  }

  /** Recompiles for several threads what was compiled until now, and compiles for them from now on. */
  useThreads(parallel: ParallelRunner): void {
    const variants = [...this.#compiled.values()];
    const runners = variants.map(({ variant }) => parallel.compile(variant, this.#rows));
    for (const passes of this.#compiledPasses.values()) passes.useThreads(parallel.compilePass);
    for (const [i, compiled] of variants.entries()) compiled.runBatch = runners[i];
    this.#parallel = parallel;
  }

  #compileForOneThread(variant: Variant): () => void {
    const exports = instantiateVariant(variant, this.#heap.memory);
    return this.#onOneThread(exports[variant.perElement.fingerprint] as RunKernel);
  }

  #onOneThread(run: RunKernel): () => void {
    const rows = this.#rows;
    return () => rows.run(run);
  }
}
