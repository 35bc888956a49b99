/**
 * Optimizers by the names of rules and stages.
 * @module @gradstep/core/by-name
 */
export * from "@gradstep/core/by-name";
