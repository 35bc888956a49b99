import { hasFixedMemory } from "@gradstep/core/internal";
import { checkIoOptions } from "../check-io-options.js";
import { platformClass } from "../platform-class.js";
import { checkpointId } from "./checkpoint-id.js";
import type { CheckpointStore } from "./store.js";
import { unknownCheckpoint } from "./unknown-checkpoint.js";
import { chunksUntilAborted } from "./chunks-until-aborted.js";

/**
 * A store in memory: for tests, and to undo. Its checkpoints are lost when the process or page ends.
 * @throws {GradstepError} `UNSUPPORTED` where there is no `Blob`
 */
export function memoryStore(): CheckpointStore {
  const BlobClass = platformClass("Blob");
  const checkpoints = new Map<string, Blob>();
  let last = 0;
  return {
    list: () => Promise.resolve([...checkpoints.keys()]),
    async write(chunks, options = {}) {
      checkIoOptions("write", options, ["signal"]);
      const { signal } = options;
      signal?.throwIfAborted();
      const parts: Blob[] = [];
      for await (const chunk of chunksUntilAborted(chunks, signal)) {
        // A copy of each chunk at once: its source may overwrite it.
        parts.push(new BlobClass([hasFixedMemory(chunk) ? chunk : chunk.slice()]));
      }
      signal?.throwIfAborted();
      const id = checkpointId(++last);
      checkpoints.set(id, new BlobClass(parts));
      return id;
    },
    async open(id) {
      const checkpoint = checkpoints.get(id);
      if (checkpoint === undefined) throw unknownCheckpoint(id, "this memory store");
      return checkpoint;
    },
    async remove(id) {
      checkpoints.delete(id);
    },
  };
}
