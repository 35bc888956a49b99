import {
  checkVariant,
  type BatchRun,
  type Kernel,
  type Packing,
  type Variant,
} from "@gradstep/core";
import { isElementwise } from "@gradstep/core/internal";
import { CompiledKernels } from "./compiled-kernels.js";
import type { Heap } from "./memory/heap.js";
import type { CompiledPasses } from "./passes/compiled-passes.js";
import { runPasses, type PassRunner } from "./passes/pass-runner.js";
import { BatchTable } from "./planning/batch-table.js";
import type { Relocations } from "./planning/pass-table.js";
import { RowBlocks } from "./planning/row-blocks.js";
import type { ParallelRunner } from "./threads/parallel-runner.js";
import type { WasmModule } from "./webassembly-types.js";

/** The parts of a backend that its kernels need. */
interface KernelContext {
  readonly heap: Heap;
  readonly packing: Packing;
  /** The modules of the user. */
  readonly modules: readonly WasmModule[];
  /** Called before each step. Throws if the backend cannot take it. */
  readonly checkStep: () => void;
}

/** The kernels of a backend: they write the tensors of a step into tables, and run compiled functions on these. */
export class WasmKernels {
  readonly batch: BatchTable;
  readonly #packing: Packing;
  readonly #checkStep: () => void;
  readonly #compiled: CompiledKernels;
  readonly #relocations: Relocations = { count: 0 };
  readonly #kernels = new WeakMap<Variant, Kernel>();
  readonly #passesOfKernel = new WeakMap<Kernel, CompiledPasses>();
  /** One function for all steps, since they allocate nothing. */
  readonly #runPlain = (runs: readonly BatchRun[]): void => this.#runTogether(runs);
  /** Those of the last `runTogether`; reused. */
  readonly #runners: PassRunner[] = [];

  /** @throws {GradstepError} `INVALID_HYPERPARAMETER` for a module that is not one of kernels for the memory */
  constructor({ heap, packing, modules, checkStep }: KernelContext) {
    this.#packing = packing;
    this.#checkStep = checkStep;
    this.batch = new BatchTable(heap);
    this.#compiled = new CompiledKernels(heap, new RowBlocks(heap, this.batch), this.#relocations);
    for (const module of modules) this.#compiled.addModule(module);
  }

  /** `Backend.compile`. */
  compile(variant: Variant): Kernel {
    let kernel = this.#kernels.get(variant);
    if (kernel === undefined) {
      checkVariant(variant);
      const plain = isElementwise(variant) ? this.#kernelOf(variant) : this.#passKernelOf(variant);
      kernel = this.#packing.kernel(variant, plain);
      this.#kernels.set(variant, kernel);
    }
    return kernel;
  }

  /** `Backend.runTogether`. */
  runTogether(runs: readonly BatchRun[]): void {
    this.#packing.runTogether(runs, this.#runPlain);
  }

  /** Recompiles for several threads what was compiled until now. @throws {GradstepError} `OUT_OF_MEMORY`, `UNSUPPORTED` */
  useThreads(parallel: ParallelRunner): void {
    this.#compiled.useThreads(parallel);
    // A repeated step must not have to divide the batch: that allocates.
    this.invalidate();
  }

  /** Makes repeated steps read the addresses of their tensors again. */
  invalidate(): void {
    this.batch.invalidate();
    this.#relocations.count += 1;
  }

  #runTogether(runs: readonly BatchRun[]): void {
    this.#checkStep();
    const runners = this.#runners;
    let used = 0;
    for (let i = 0; i < runs.length; i += 1) {
      const { kernel, updates, count } = runs[i];
      const passes = this.#passesOfKernel.get(kernel!);
      if (passes === undefined) continue;
      let before = 0;
      for (let k = 0; k < i; k += 1)
        if (this.#passesOfKernel.get(runs[k].kernel!) === passes) before += 1;
      runners[used] = passes.runner(before);
      runners[used].table.fill(updates, count);
      used += 1;
    }
    runners.length = used;
    // Growth of the memory for one table detaches the views of those before.
    for (let i = 0; i < used; i += 1) runners[i].table.renew();
    runPasses(runners);
    for (const { kernel, updates, count } of runs)
      if (!this.#passesOfKernel.has(kernel!)) kernel!.run(updates, count);
  }

  #kernelOf(variant: Variant): Kernel {
    const { batch } = this;
    const compiled = this.#compiled.kernel(variant);
    const repeat = (): void => {
      batch.updateScalars();
      compiled.runBatch();
    };
    return {
      source: variant.perElement.source,
      takesRowLists: true,
      run: (updates, count) => {
        this.#checkStep();
        batch.fill(variant, updates, count);
        compiled.runBatch();
      },
      repeater: (updates) => {
        if (!batch.matches(variant, updates)) return undefined;
        this.#checkStep();
        return repeat;
      },
    };
  }

  #passKernelOf(variant: Variant): Kernel {
    const passes = this.#compiled.passes(variant);
    const runner = passes.runner(0);
    const runners = [runner];
    const repeat = (): void => {
      runner.table.updateScalars();
      runPasses(runners);
    };
    const kernel: Kernel = {
      source: variant.perElement.source,
      run: (updates, count) => {
        this.#checkStep();
        runner.table.fill(updates, count);
        runPasses(runners);
      },
      repeater: (updates) => {
        if (!runner.table.matches(updates)) return undefined;
        this.#checkStep();
        return repeat;
      },
    };
    this.#passesOfKernel.set(kernel, passes);
    return kernel;
  }
}
