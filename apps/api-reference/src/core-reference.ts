/**
 * The f32 reference and the f64 oracle, as backends.
 * @module @gradstep/core/reference
 */
export * from "@gradstep/core/reference";
