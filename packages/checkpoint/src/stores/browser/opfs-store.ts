import { checkIoOptions } from "../../check-io-options.js";
import type { CheckpointStore } from "../store.js";
import { unknownCheckpoint } from "../unknown-checkpoint.js";
import { openFileWriter } from "./opfs-file-writer.js";
import { OpfsFolder } from "./opfs-folder.js";
import { inPieces, pieceSize, streamOfPieces } from "./pieces.js";
import { checkName, storeError } from "./store-error.js";
import { asWriter, lockStore } from "./web-locks.js";

/**
 * A store in the origin private file system, in windows and workers of secure contexts. Stores of the same name and
 * origin are the same.
 *
 * A checkpoint is two files in the folder `gradstep-checkpoints/store-<name>`: its bytes in `<id>.safetensors`, and
 * then `<id>.whole`, which is empty and makes it listed. In a dedicated worker, the bytes are flushed to the disk
 * before. A window cannot do that: after a loss of power, only the digest in a file tells whether it is whole. What a
 * closed tab left unfinished is removed by the next write.
 *
 * Methods reject with `UNSUPPORTED` where there is no such file system, or no Web Locks, or the page may store nothing.
 */
export function opfsStore(name: string): CheckpointStore {
  checkName(name, "opfsStore");
  const store = `the OPFS store ${JSON.stringify(name)}`;
  const openFolder = (): Promise<OpfsFolder> => OpfsFolder.open(name, store);

  return {
    async list() {
      return (await openFolder()).wholeIds();
    },

    async write(chunks, options = {}) {
      checkIoOptions("write", options, ["signal"]);
      const { signal } = options;
      signal?.throwIfAborted();
      const folder = await openFolder();
      const writing = `write to ${store}`;
      await attempt(writing, () => folder.removeUnfinished());
      const newId = (): Promise<string> => folder.newId();
      return asWriter(store, newId, async (id) => {
        try {
          await writeData({ folder, id, writing, openFolder }, inPieces(chunks, signal));
          await attempt(writing, () => folder.mark(id));
          return id;
        } catch (error) {
          // If this fails, too, a later write removes it.
          await folder.remove(id).catch(() => {});
          throw error;
        }
      });
    },

    async open(id) {
      const folder = await openFolder();
      if (!(await folder.wholeIds()).includes(id)) throw unknownCheckpoint(id, store);
      const reading = `read checkpoint "${id}" of ${store}`;
      const file = await attempt(reading, () => folder.data(id));
      const read = (index: number): Promise<Uint8Array<ArrayBuffer>> =>
        attempt(reading, async () => {
          const piece = file.slice(index * pieceSize, (index + 1) * pieceSize);
          return new Uint8Array(await piece.arrayBuffer());
        });
      const pieces = Math.ceil(file.size / pieceSize);
      return { size: file.size, stream: () => streamOfPieces(pieces, read) };
    },

    async remove(id) {
      const folder = await openFolder();
      if (!(await folder.wholeIds()).includes(id)) return;
      await attempt(`remove checkpoint "${id}" from ${store}`, () => folder.remove(id));
    },

    lock: () => lockStore(store),
  };
}

/** A checkpoint that is being written. */
interface Draft {
  readonly folder: OpfsFolder;
  readonly id: string;
  /** What is done, for messages. */
  readonly writing: string;
  readonly openFolder: () => Promise<OpfsFolder>;
}

async function writeData(
  { folder, id, writing, openFolder }: Draft,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const writer = await attempt(writing, async () => openFileWriter(await folder.createData(id)));
  let size = 0;
  try {
    for await (const piece of pieces) {
      await attempt(writing, async () => {
        // Rejects if the site's data was cleared meanwhile.
        await folder.data(id);
        await writer.write(piece);
      });
      size += piece.length;
    }
    await attempt(writing, async () => {
      await folder.data(id);
      await writer.close();
      const file = await folder.data(id);
      if (file.size !== size)
        throw new DOMException(
          `The file has ${file.size} bytes instead of ${size}`,
          "UnknownError",
        );
    });
  } catch (error) {
    // If the site's data was cleared, Chromium 153 opens the file system again only if that happens before the file is
    // closed; otherwise not before its next start.
    await openFolder().catch(() => {});
    await writer.abort().catch(() => {});
    throw error;
  }
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw storeError(cause, doing);
  }
}
