// Checked without types of WebAssembly, the DOM or Node: see tsconfig.json.
import { adam, createOptimizer } from "@gradstep/core";
import { kernelModule, wasm, type Heap, type Wasm, type WasmOptions } from "@gradstep/wasm";
import adamModule from "@gradstep/wasm/rules/adam.wasm";

const backend: Wasm = wasm({ modules: [adamModule] });
const weights = backend.tensor([3]);
createOptimizer(adam(), { weights }).step({ weights: weights.view() });

const heap: Heap = { memory: backend.memory, allocate: (byteLength) => byteLength, free: () => {} };
export const options: WasmOptions = { heap, threads: 2, workerUrl: "/worker.js" };
export const leftOut: WasmOptions = { heap: undefined, threads: undefined, workerUrl: undefined };
export const byteLength: number = backend.memory.buffer.byteLength + backend.memory.grow(1);
export const modules: readonly Uint8Array[] = [
  kernelModule(adam),
  kernelModule(adam.rule, { shared: undefined }),
  kernelModule(adam.rule.variants()),
  kernelModule(adam({ amsgrad: true })),
];
