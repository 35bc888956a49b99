// Needs the types of WebGPU, which `lib: ["dom"]` has.
import { conformance } from "@gradstep/conformance";
import { adam, createOptimizer } from "gradstep";
import { webgpu, type WebGpu } from "@gradstep/webgpu";
import { webgpu as webgpuInNode } from "@gradstep/webgpu/node";
import adamModule from "@gradstep/wasm/rules/adam.wasm";

export const backendOn = (device: GPUDevice): WebGpu => webgpu({ device });
export function encode(backend: WebGpu, buffer: GPUBuffer, encoder: GPUCommandEncoder): void {
  const weights = backend.wrap(buffer);
  createOptimizer(adam(), { weights }).encode(encoder, { weights });
}
export const inNode: Promise<WebGpu> = webgpuInNode();
export const compiled: WebAssembly.Module = adamModule;
export const suite = conformance;
