import { missing } from "./store-error.js";

/** Writes a file of the origin private file system from its start. */
export interface OpfsFileWriter {
  write(piece: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The file is complete when this resolves. */
  close(): Promise<void>;
  /** Stops writing. The file stays, with what it has. Rejects if writing has failed before. */
  abort(): Promise<void>;
}

/** What TypeScript's types of windows do not have, because only dedicated workers have it. */
interface SyncAccessHandle {
  write(bytes: Uint8Array, options: { at: number }): number | Promise<number>;
  flush(): unknown;
  close(): unknown;
}
interface WorkerFileHandle {
  createSyncAccessHandle?(): Promise<SyncAccessHandle>;
}

/** Safari has `createWritable` since version 26 only, and had the other one in workers before. */
export async function openFileWriter(file: FileSystemFileHandle): Promise<OpfsFileWriter> {
  const inWorker = file as WorkerFileHandle;
  if (inWorker.createSyncAccessHandle !== undefined)
    return syncWriter(await inWorker.createSyncAccessHandle());
  if ((file as Partial<FileSystemFileHandle>).createWritable !== undefined)
    return streamWriter(await file.createWritable());
  throw missing(
    "FileSystemFileHandle.createWritable",
    "Use opfsStore in a dedicated worker, or use indexedDbStore.",
  );
}

/** Old versions of Safari return promises where others return values, so all is awaited. */
function syncWriter(handle: SyncAccessHandle): OpfsFileWriter {
  let size = 0;
  return {
    async write(piece) {
      for (let start = 0; start < piece.length;) {
        const written = await handle.write(piece.subarray(start), { at: size });
        if (written === 0) throw new DOMException("No byte was written", "UnknownError");
        start += written;
        size += written;
      }
    },
    async close() {
      try {
        await handle.flush();
      } finally {
        await handle.close();
      }
    },
    async abort() {
      await handle.close();
    },
  };
}

function streamWriter(writable: FileSystemWritableFileStream): OpfsFileWriter {
  let size = 0;
  return {
    async write(piece) {
      size += piece.length;
      // Makes room first: where a write meets the quota, Chromium gives one of several errors, at random.
      await writable.truncate(size);
      await writable.write(piece);
    },
    close: () => writable.close(),
    abort: () => writable.abort(),
  };
}
