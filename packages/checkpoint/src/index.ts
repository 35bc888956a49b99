export type { ImportedCheckpoint, ParameterValues } from "./bridges/imported-checkpoint.js";
export type { ByteSource, CheckpointStore, StoreLock, WriteOptions } from "./stores/store.js";
export { memoryStore } from "./stores/memory-store.js";
