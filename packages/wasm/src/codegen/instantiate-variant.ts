import type { Variant } from "@gradstep/core";
import { isSharedMemory } from "../memory/heap.js";
import type { WasmMemory, WasmModule } from "../webassembly-types.js";
import { compileModule, instantiate, type Exports } from "./instantiate.js";
import { moduleOfVariants } from "./kernel-module.js";

/** What is compiled already: further backends only instantiate it. */
const compiled = new WeakMap<Variant, WasmModule>();
const compiledForSharedMemory = new WeakMap<Variant, WasmModule>();

/**
 * Instantiates the kernels of a variant over a memory, for one thread.
 *
 * @throws {GradstepError} `UNSUPPORTED` if the host forbids compiling at run time
 */
export function instantiateVariant(variant: Variant, memory: WasmMemory): Exports {
  const shared = isSharedMemory(memory);
  const modules = shared ? compiledForSharedMemory : compiled;
  let module = modules.get(variant);
  if (module === undefined) {
    module = compileModule(moduleOfVariants([variant], { shared }), variant.rule);
    modules.set(variant, module);
  }
  return instantiate(module, memory);
}
