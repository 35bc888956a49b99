/**
 * Checkpoints of Optax.
 * @module @gradstep/checkpoint/optax
 */
export * from "@gradstep/checkpoint/optax";
