/**
 * WebGPU in Node.
 * @module @gradstep/webgpu/node
 */
export * from "@gradstep/webgpu/node";
