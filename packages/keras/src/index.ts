export { readKeras, type ReadKerasOptions } from "./read-keras.js";
export type { KerasCheckpoint } from "./keras-checkpoint.js";
export { writeKeras, type KerasCheckpointSource, type WriteKerasOptions } from "./write-keras.js";
export type { WeightsLayout } from "./model/weights-layout.js";
