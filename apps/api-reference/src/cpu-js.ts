/**
 * The backend in plain JavaScript.
 * @module @gradstep/cpu-js
 */
export * from "@gradstep/cpu-js";
