import { checkOptions, GradstepError, type Variant } from "@gradstep/core";
import { ForeignHeap } from "./foreign-heap.js";
import { createArena, type Heap } from "./heap.js";
import { mostPages } from "./layout.js";
import { MemoryBackend, type Runner, type Wasm } from "./memory-backend.js";

export type { Heap } from "./heap.js";
export type { Wasm } from "./memory-backend.js";
export * from "./generated/index.js";

/** What `createWasm` takes. */
export interface LeanWasmOptions {
  /** Compiled rules: what `adamKernels()` gives, or modules of `@gradstep/wasm/rules/`. */
  readonly modules: readonly WebAssembly.Module[];
  /** As for `wasm`. */
  readonly memoryLimit?: number;
  readonly heap?: Heap;
}

/**
 * A backend with just these kernels, on one thread, for bundles in which each kilobyte counts.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`, `OUT_OF_MEMORY`
 */
export function createWasm(options: LeanWasmOptions): Wasm {
  checkOptions("createWasm", options, ["modules", "memoryLimit", "heap"]);
  const { modules, memoryLimit = mostPages * 65536, heap } = options;
  if (!Array.isArray(modules) || !modules.every((one) => one instanceof WebAssembly.Module)) {
    throw new GradstepError(
      `createWasm: got no list of modules; expected compiled ones, such as [adamKernels()].`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return new LeanBackend(
    heap === undefined ? createArena(false, memoryLimit) : new ForeignHeap(heap),
    modules,
  );
}

class LeanBackend extends MemoryBackend {
  protected override runnerOf(variant: Variant): Runner {
    const run = this.given.get(variant.perElement.fingerprint);
    if (run !== undefined) return this.runnerOn(variant, this.alone(run));
    throw new GradstepError(
      `No module has the kernel of ${variant.label}; pass it to createWasm({ modules }), or use wasm() of @gradstep/wasm, which compiles any rule.`,
      { code: "UNSUPPORTED" },
    );
  }
}
