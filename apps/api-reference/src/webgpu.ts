/**
 * The backend on WebGPU.
 * @module @gradstep/webgpu
 */
export * from "@gradstep/webgpu";
