/**
 * Optimizers, rules, stages, schedules, and what backends are made of.
 * @module @gradstep/core
 */
export * from "@gradstep/core";
