/**
 * Checkpoints and stores.
 * @module @gradstep/checkpoint
 */
export * from "@gradstep/checkpoint";
