/**
 * The backend in WebAssembly.
 * @module @gradstep/wasm
 */
export * from "@gradstep/wasm";
