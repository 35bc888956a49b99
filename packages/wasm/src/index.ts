export { wasm } from "./wasm-backend.js";
export type { Wasm } from "./memory-backend.js";
export type { WasmOptions } from "./options.js";
export { WasmTensor } from "./memory/wasm-tensor.js";
export { isSupported } from "./feature-detection.js";
export { workerScript } from "./threads/worker.js";
export { kernelModule } from "./codegen/kernel-module.js";
export type { Heap } from "./memory/growable-heap.js";
