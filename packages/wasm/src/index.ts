export { wasm } from "./wasm.js";
export type { Wasm } from "./memory-backend.js";
export type { WasmOptions } from "./options.js";
export { WasmTensor } from "./wasm-tensor.js";
export { isSupported } from "./support.js";
export { workerScript } from "./worker.js";
export { kernelModule } from "./kernel-module.js";
export type { Heap } from "./heap.js";
