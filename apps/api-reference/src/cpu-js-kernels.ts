/**
 * Kernels as functions.
 * @module @gradstep/cpu-js/kernels
 */
export * from "@gradstep/cpu-js/kernels";
