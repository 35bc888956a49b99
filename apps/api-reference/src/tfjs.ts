/**
 * Optimizers for TensorFlow.js.
 * @module @gradstep/tfjs
 */
export * from "@gradstep/tfjs";
