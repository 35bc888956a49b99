import { f32Const, f32x4, localSet } from "./codegen/instruction-set.js";
import { encodeModule, v128 } from "./codegen/module-encoder.js";
import { canCreateMemory } from "./memory/growable-heap.js";

/** The smallest module that uses SIMD. */
function simdModule(): Uint8Array<ArrayBuffer> {
  const body = [...f32Const(1), ...f32x4.splat, ...localSet(0)];
  return encodeModule([{ parameters: 0, locals: [v128], body }]);
}

/** Whether the host has WebAssembly with SIMD. It may still forbid compiling modules. */
export function hasSimd(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(simdModule());
}

/**
 * Whether `wasm()` works here now: the host has WebAssembly with SIMD, permits compiling modules at run time, and has
 * address space for another memory.
 */
export function isSupported(): boolean {
  try {
    return (
      hasSimd() &&
      new WebAssembly.Module(simdModule()) instanceof WebAssembly.Module &&
      canCreateMemory()
    );
  } catch {
    return false;
  }
}
