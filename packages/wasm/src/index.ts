export { wasm } from "./create-wasm.js";
export type { Wasm } from "./wasm.js";
export type { WasmOptions } from "./options.js";
export type { WasmTensor } from "./memory/wasm-tensor.js";
export type { Heap } from "./memory/heap.js";
export type { WasmMemory, WasmModule } from "./webassembly-types.js";
export { isSupported } from "./feature-detection.js";
export { workerScript } from "./threads/worker-script.js";
export { kernelModule, type KernelModuleOptions } from "./rule-module.js";
