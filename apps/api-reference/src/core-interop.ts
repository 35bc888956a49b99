/**
 * Optimizers and schedulers of Keras, PyTorch, Optax and TensorFlow.js, in both directions.
 * @module @gradstep/core/interop
 */
export * from "@gradstep/core/interop";
