export type { ImportedCheckpoint, ParameterValues } from "./bridges/imported-checkpoint.js";
export type { ByteSource, CheckpointStore, StoreLock, WriteOptions } from "./stores/store.js";
export { memoryStore } from "./stores/memory-store.js";
export { indexedDbStore } from "./stores/browser/indexed-db-store.js";
export { opfsStore } from "./stores/browser/opfs-store.js";
