/**
 * Stores in directories.
 * @module @gradstep/checkpoint/files
 */
export * from "@gradstep/checkpoint/files";
