/**
 * Checkpoints of PyTorch.
 * @module @gradstep/checkpoint/torch
 */
export * from "@gradstep/checkpoint/torch";
