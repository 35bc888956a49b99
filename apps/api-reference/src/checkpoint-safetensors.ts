/**
 * Files of the safetensors format.
 * @module @gradstep/checkpoint/safetensors
 */
export * from "@gradstep/checkpoint/safetensors";
