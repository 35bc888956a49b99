import { GradstepError, show } from "@gradstep/core";
import { checkOptions, isArray } from "@gradstep/core/internal";
import { ForeignHeap } from "./memory/foreign-heap.js";
import type { Heap } from "./memory/heap.js";
import { maxPages, pageSize } from "./memory/batch-layout.js";
import type { WasmModule } from "./webassembly-types.js";

/** Options of `wasm`. */
export interface WasmOptions {
  /**
   * Number of threads, the calling one included: 1 to 64, default 1. Small steps run on one thread. If memory cannot be
   * shared, all steps do, with the same bits, and `diagnostics` says why.
   */
  readonly threads?: number | undefined;
  /**
   * Steps of at least this many elements always run on all threads. If left out, steps of 65,536 elements and more do
   * when that is faster, which is measured from time to time.
   */
  readonly parallelThreshold?: number | undefined;
  /** The maximum size of the memory in bytes. Default: 4 GiB, the maximum of wasm. */
  readonly memoryLimit?: number | undefined;
  /**
   * Compiled modules of rules, for hosts that forbid compiling at run time: those of `@gradstep/wasm/rules/`, or of
   * `kernelModule`. Rules in these modules run on one thread.
   */
  readonly modules?: readonly WasmModule[] | undefined;
  /** An allocator for all tensors, instead of a memory of the backend's own. */
  readonly heap?: Heap | undefined;
  /** URL of a file that holds `workerScript()`, for pages that forbid workers from blobs. */
  readonly workerUrl?: string | { readonly href: string } | undefined;
}

const names = ["threads", "parallelThreshold", "memoryLimit", "modules", "heap", "workerUrl"];

/** The maximum number of threads, the calling one included. */
export const maxThreads = 64;

/** Options with their defaults. */
export interface CheckedOptions {
  readonly threads: number;
  readonly parallelThreshold: number | undefined;
  readonly memoryLimit: number;
  readonly modules: readonly WasmModule[];
  readonly heap: Heap | undefined;
  readonly workerUrl: string | undefined;
}

/** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`. `memoryLimit` is checked where it is used. */
export function checkWasmOptions(options: WasmOptions): CheckedOptions {
  checkOptions("wasm", options, names);
  const {
    threads = 1,
    parallelThreshold,
    memoryLimit = maxPages * pageSize,
    modules = [],
    heap,
    workerUrl,
  } = options;
  const invalid = (name: string, value: unknown, expected: string): never => {
    throw new GradstepError(`wasm: ${name} is ${show(value)}; expected ${expected}.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  };
  if (!Number.isInteger(threads) || threads < 1 || threads > maxThreads)
    invalid("threads", threads, `an integer from 1 to ${maxThreads}`);
  if (
    parallelThreshold !== undefined &&
    !(typeof parallelThreshold === "number" && parallelThreshold >= 0)
  )
    invalid("parallelThreshold", parallelThreshold, "a number of elements");
  if (!isArray(modules) || !modules.every(isModule))
    invalid("modules", modules, "a list of compiled WebAssembly modules");
  const url = typeof workerUrl === "object" ? workerUrl?.href : workerUrl;
  if (workerUrl !== undefined && typeof url !== "string")
    invalid("workerUrl", workerUrl, "a string or a URL");
  return {
    threads,
    parallelThreshold,
    memoryLimit,
    modules,
    heap: heap === undefined ? undefined : new ForeignHeap(heap),
    workerUrl: url,
  };
}

/** Not by instanceof: another realm has its own class. */
function isModule(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}
