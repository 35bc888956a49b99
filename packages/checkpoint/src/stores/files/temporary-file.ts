import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { FileSystem, OpenFile } from "./file-system.js";
import { isEnded, machine } from "./process-identity.js";
import { attempt } from "./store-error.js";

const pattern = /^\.checkpoint-[0-9a-f]+\.([0-9a-f]+)\.(\d+)\.tmp$/;

/** A file of an unknown process that nobody has written to for as long as this is abandoned. */
const abandonedAfter = 24 * 60 * 60 * 1000;

/** The name of a new temporary file. It says which process writes it. */
export function temporaryName(): string {
  return `.checkpoint-${randomBytes(8).toString("hex")}.${machine()}.${process.pid}.tmp`;
}

/** Writes a file that must not exist, and returns when its bytes are durable and it is closed. */
export async function writeTemporaryFile(
  fileSystem: FileSystem,
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await attempt("create the temporary file", path, () => fileSystem.open(path, "wx"));
  try {
    for await (const chunk of chunks)
      await attempt("write to the temporary file", path, () => writeAll(file, chunk));
    await attempt("make durable the temporary file", path, () => file.sync());
  } catch (error) {
    await file.close().catch(() => {});
    throw error;
  }
  await attempt("close the temporary file", path, () => file.close());
}

async function writeAll(file: OpenFile, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, offset, bytes.length - offset);
    if (bytesWritten === 0) throw new Error("the file system takes no more bytes");
    offset += bytesWritten;
  }
}

/**
 * Removes the temporary files of writers that have ended. Files of processes that may be alive are left, and files that
 * cannot be removed.
 */
export async function removeStaleFiles(
  fileSystem: FileSystem,
  directory: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const [, writersMachine, writer] = pattern.exec(name) ?? [];
    if (writer === undefined) continue;
    const path = join(directory, name);
    try {
      const { mtimeMs } = await fileSystem.stat(path);
      const hasEnded =
        (writersMachine === machine() && isEnded(Number(writer), mtimeMs)) ||
        mtimeMs < Date.now() - abandonedAfter;
      if (hasEnded) await fileSystem.unlink(path);
    } catch {
      // Another process has removed it, or it can only be removed by its owner.
    }
  }
}
