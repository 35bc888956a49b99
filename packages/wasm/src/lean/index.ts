export * from "../generated/index.js";
export { createWasm, type LeanWasm } from "./backend.js";
export { WasmLeanTensor } from "./tensor.js";
