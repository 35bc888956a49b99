/**
 * All built-in rules.
 * @module @gradstep/core/rules
 */
export * from "@gradstep/core/rules";
