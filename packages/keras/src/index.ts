export { readKeras, type ReadKerasOptions } from "./read-keras.js";
export type { ImportedCheckpoint, VariableValues } from "./imported-checkpoint.js";
export { writeKeras, type KerasCheckpoint, type WriteKerasOptions } from "./write-keras.js";
export type { WeightsLayout } from "./model/weights-layout.js";
