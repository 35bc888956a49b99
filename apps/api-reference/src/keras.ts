/**
 * Files of Keras 3.
 * @module @gradstep/keras
 */
export * from "@gradstep/keras";
