/**
 * Writes kernels of rules at build time.
 * @module @gradstep/cpu-js/generate
 */
export * from "@gradstep/cpu-js/generate";
