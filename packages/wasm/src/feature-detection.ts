import { f32Const, f32x4, set } from "./codegen/instruction-set.js";
import { encodeModule, v128 } from "./codegen/module-encoder.js";

/** The smallest module that has SIMD. */
function probe(): Uint8Array<ArrayBuffer> {
  const body = [...f32Const(1), ...f32x4.splat, ...set(0)];
  return encodeModule([{ parameters: 0, locals: [v128], body }], false);
}

/** Whether there is WebAssembly with SIMD here, though it may be forbidden to compile it. */
export function hasSimd(): boolean {
  return typeof WebAssembly === "object" && WebAssembly.validate(probe());
}

/** Whether `wasm()` works here: there is WebAssembly with SIMD, and a page's policy or the host lets it be compiled. */
export function isSupported(): boolean {
  try {
    return hasSimd() && new WebAssembly.Module(probe()) instanceof WebAssembly.Module;
  } catch {
    return false;
  }
}
