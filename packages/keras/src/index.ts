export { readKeras, type ReadKerasOptions } from "./read-keras.js";
export type { ImportedCheckpoint, VariableValues } from "./imported-checkpoint.js";
