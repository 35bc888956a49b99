import { checkOptions, GradstepError, show } from "@gradstep/core";
import { ForeignHeap } from "./memory/foreign-heap.js";
import type { Heap } from "./memory/growable-heap.js";
import { mostThreads } from "./threads/control-block.js";
import { mostPages } from "./memory/layout.js";

/** What `wasm` takes. */
export interface WasmOptions {
  /**
   * Threads that share a step, the calling one included: 1 to 64, 1 if left out. Small steps stay on one thread. Where
   * memory cannot be shared there is one thread, the same bits, and a line in `diagnostics` that says why.
   */
  readonly threads?: number;
  /**
   * Steps of at least so many elements are always shared. Left out, those of 65,536 are wherever that takes less time,
   * which is measured now and then.
   */
  readonly shareFrom?: number;
  /** The most bytes of memory that it may use: 4 GiB if left out, which is also the most that wasm has. */
  readonly memoryLimit?: number;
  /**
   * Compiled modules of rules, for hosts that forbid compiling at run time: those in `@gradstep/wasm/rules/`. Steps of
   * a rule that is in one of them use it, on one thread.
   */
  readonly modules?: readonly WebAssembly.Module[];
  /** Memory that somebody else manages, instead of a memory of its own. */
  readonly heap?: Heap;
  /** Script of a worker, for pages that allow none from a blob: a file that holds `workerScript`. */
  readonly workerUrl?: string | URL;
}

const names = ["threads", "shareFrom", "memoryLimit", "modules", "heap", "workerUrl"];

/** Options with their defaults; what has none may be undefined. */
export interface CheckedOptions {
  readonly threads: number;
  readonly shareFrom: number | undefined;
  readonly memoryLimit: number;
  readonly modules: readonly WebAssembly.Module[];
  readonly heap: Heap | undefined;
  readonly workerUrl: string | URL | undefined;
}

/** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`; the limit is checked where it is used */
export function checkWasmOptions(options: WasmOptions): CheckedOptions {
  checkOptions("wasm", options, names);
  const {
    threads = 1,
    shareFrom,
    memoryLimit = mostPages * 65536,
    modules = [],
    heap,
    workerUrl,
  } = options;
  const invalid = (name: string, value: unknown, expected: string): never => {
    throw new GradstepError(`wasm: ${name} is ${show(value)}; expected ${expected}.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  };
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads)
    invalid("threads", threads, `an integer from 1 to ${mostThreads}`);
  if (shareFrom !== undefined && !(typeof shareFrom === "number" && shareFrom >= 0))
    invalid("shareFrom", shareFrom, "a number of elements");
  if (!Array.isArray(modules) || !modules.every(isModule))
    invalid("modules", modules, "a list of compiled modules");
  return {
    threads,
    shareFrom,
    memoryLimit,
    modules,
    heap: heap === undefined ? undefined : new ForeignHeap(heap),
    workerUrl,
  };
}

/** Not by the class, which another realm has its own of. */
function isModule(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}
