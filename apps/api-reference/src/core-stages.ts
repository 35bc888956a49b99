/**
 * All built-in stages.
 * @module @gradstep/core/stages
 */
export * from "@gradstep/core/stages";
