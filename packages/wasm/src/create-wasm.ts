import { GradstepError } from "@gradstep/core";
import { hasSimd } from "./feature-detection.js";
import { checkWasmOptions, type WasmOptions } from "./options.js";
import { WasmBackend } from "./wasm-backend.js";
import type { Wasm } from "./wasm.js";

/**
 * Creates a backend that compiles rules to WebAssembly SIMD, within a few milliseconds, for one thread or several.
 *
 * @throws {GradstepError} `UNSUPPORTED` (no WebAssembly SIMD), `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`,
 * `OUT_OF_MEMORY` (no address space for the memory)
 */
export function wasm(options: WasmOptions = {}): Wasm {
  const checked = checkWasmOptions(options);
  if (!hasSimd()) {
    throw new GradstepError(
      "This host has no WebAssembly SIMD; use cpuJs() of @gradstep/cpu-js instead.",
      { code: "UNSUPPORTED" },
    );
  }
  return new WasmBackend(checked);
}
