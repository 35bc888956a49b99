export type { ImportedCheckpoint, ParameterValues } from "@gradstep/core/interop";
export {
  decodeCheckpoint,
  encodeCheckpoint,
  type CheckpointDecodeOptions,
  type CheckpointEncodeOptions,
  type SlotType,
} from "./checkpoint-file/checkpoint-file.js";
export type { Checkpoint } from "./checkpoint-file/checkpoint.js";
export type {
  Checkpointer,
  CheckpointerOptions,
  Resumed,
  ResumeOptions,
} from "./checkpointer/checkpointer.js";
export { checkpointer } from "./checkpointer/create-checkpointer.js";
export {
  newestCheckpoint,
  type DamagedCheckpoint,
  type StoredCheckpoint,
} from "./checkpointer/newest-checkpoint.js";
export type {
  CheckpointedOptimizer,
  CheckpointedParameter,
  CheckpointedParameters,
  Restorable,
  Restorables,
} from "./checkpointer/checkpointed-run.js";
export { memoryStore } from "./stores/memory-store.js";
export { indexedDbStore } from "./stores/browser/indexed-db-store.js";
export { opfsStore } from "./stores/browser/opfs-store.js";
export type { ByteSource, CheckpointStore, StoreLock, WriteOptions } from "./stores/store.js";
