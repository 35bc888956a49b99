/**
 * The suite that checks backends and rules.
 * @module @gradstep/conformance
 */
export * from "@gradstep/conformance";
