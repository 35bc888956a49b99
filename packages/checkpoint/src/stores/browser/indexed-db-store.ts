import { checkIoOptions } from "../../check-io-options.js";
import { checkpointId, sequenceOf } from "../checkpoint-id.js";
import type { CheckpointStore } from "../store.js";
import { unknownCheckpoint } from "../unknown-checkpoint.js";
import { CheckpointDatabase, type CheckpointRecord } from "./checkpoint-database.js";
import { inPieces, streamOfPieces } from "./pieces.js";
import { checkName } from "./store-error.js";
import { asWriter, ifAbandoned, lockStore } from "./web-locks.js";

/**
 * A store in IndexedDB, in windows and workers of secure contexts. Stores of the same name and origin are the same.
 *
 * Pieces of 4 MiB are written in transactions of their own, and a checkpoint is listed by the last transaction. Each
 * is on the disk before the next one starts. What a closed tab left unfinished is removed by the next write.
 *
 * Methods reject with `UNSUPPORTED` where there is no IndexedDB, or no Web Locks, or the page may store nothing.
 */
export function indexedDbStore(name: string): CheckpointStore {
  checkName(name, "indexedDbStore");
  const store = `the IndexedDB store ${JSON.stringify(name)}`;
  const use = <T>(work: (database: CheckpointDatabase) => Promise<T>): Promise<T> =>
    CheckpointDatabase.use(`gradstep/checkpoints/${name}`, store, work);

  return {
    async list() {
      const keys = await use((database) =>
        database.read("checkpoints", (checkpoints) => checkpoints.getAllKeys()),
      );
      return keys.map((key) => checkpointId(key as number));
    },

    async write(chunks, options = {}) {
      checkIoOptions("write", options, ["signal"]);
      const { signal } = options;
      signal?.throwIfAborted();
      return asWriter(store, newDraft, (draft) =>
        use(async (database) => {
          await removeUnfinished(database, store);
          let size = 0;
          let pieces = 0;
          try {
            for await (const piece of inPieces(chunks, signal)) {
              const key = [draft, pieces];
              await database.write((objects) => objects.pieces.add(piece, key));
              size += piece.length;
              pieces++;
            }
            const record: CheckpointRecord = { draft, size, pieces };
            const number = await database.write(({ checkpoints }) => checkpoints.add(record));
            return checkpointId(number as number);
          } catch (error) {
            // If this fails, too, a later write removes them.
            await database
              .write((objects) => objects.pieces.delete(piecesOf(draft)))
              .catch(() => {});
            throw error;
          }
        }),
      );
    },

    async open(id) {
      const number = numberIn(id);
      const record = await use((database) => recordOf(database, number));
      if (record === undefined) throw unknownCheckpoint(id, store);
      const { draft, size, pieces } = record;
      const read = async (index: number): Promise<Uint8Array<ArrayBuffer>> => {
        const piece = await use((database) =>
          database.read<Uint8Array<ArrayBuffer> | undefined>("pieces", (objects) =>
            objects.get([draft, index]),
          ),
        );
        if (piece === undefined) throw unknownCheckpoint(id, store);
        return piece;
      };
      return { size, stream: () => streamOfPieces(pieces, read) };
    },

    async remove(id) {
      const number = numberIn(id);
      await use(async (database) => {
        const record = await recordOf(database, number);
        if (record === undefined) return;
        await database.write((objects) => {
          objects.pieces.delete(piecesOf(record.draft));
          return objects.checkpoints.delete(number);
        });
      });
    },

    lock: () => lockStore(store),
  };
}

function newDraft(): string {
  return crypto.randomUUID();
}

/** Removes the pieces whose writers ended before they were a checkpoint. */
async function removeUnfinished(database: CheckpointDatabase, store: string): Promise<void> {
  const keys = await database.read("pieces", (pieces) => pieces.getAllKeys());
  const drafts = new Set(keys.map((key) => (key as [draft: string, index: number])[0]));
  for (const draft of drafts) {
    await ifAbandoned(store, draft, () =>
      // In one transaction: the writer may have finished since.
      database.write(({ checkpoints, pieces }) => {
        const whole = checkpoints.index("draft").count(draft);
        whole.addEventListener("success", () => {
          if (whole.result === 0) pieces.delete(piecesOf(draft));
        });
        return whole;
      }),
    );
  }
}

async function recordOf(
  database: CheckpointDatabase,
  number: number,
): Promise<CheckpointRecord | undefined> {
  return database.read("checkpoints", (checkpoints) => checkpoints.get(number));
}

/** The keys of all pieces of a draft: arrays are greater than numbers. */
function piecesOf(draft: string): IDBKeyRange {
  return IDBKeyRange.bound([draft], [draft, []]);
}

/** 0, which no checkpoint has, for a text that is no id of this store. */
function numberIn(id: string): number {
  const number = sequenceOf(id) ?? 0;
  return checkpointId(number) === id ? number : 0;
}
