import { maxThreads } from "../options.js";

/**
 * The control block that threads share: byte offsets from its start. Words that different threads write are in
 * different cache lines.
 */
export const controlBlock = {
  /** Unclaimed chunks (i32), and the kernel they are for (i32): written together, as one i64. */
  unclaimed: 0,
  kernel: 4,
  /** The end of the chunk table (an address): the next chunk to claim is `unclaimed` chunks before it. */
  chunksEnd: 8,
  /** Chunks that are not finished yet. */
  pending: 64,
  /** Counts batches. Workers sleep until it changes. */
  batch: 128,
  /** One word per worker: 1 once it runs. */
  started: 132,
  byteLength: 132 + 4 * (maxThreads - 1),
} as const;

/** The same offsets in words of 4 bytes, as indices of an Int32Array. */
export const controlWords = {
  unclaimed: controlBlock.unclaimed / 4,
  kernel: controlBlock.kernel / 4,
  chunksEnd: controlBlock.chunksEnd / 4,
  pending: controlBlock.pending / 4,
  batch: controlBlock.batch / 4,
  started: controlBlock.started / 4,
  length: controlBlock.byteLength / 4,
} as const;
