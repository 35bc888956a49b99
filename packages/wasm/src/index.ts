export { wasm, type Wasm, type WasmOptions } from "./wasm.js";
export { WasmTensor } from "./wasm-tensor.js";
export { isSupported } from "./support.js";
export { workerScript } from "./worker.js";
export { kernelModule } from "./kernel-module.js";
export type { Heap } from "./heap.js";
