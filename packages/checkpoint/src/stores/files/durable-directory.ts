import { dirname } from "node:path";
import { errorCode, type FileSystem } from "./file-system.js";
import { attempt } from "./store-error.js";

/** What the file systems answer that cannot do this for a directory. PostgreSQL's `fsync_fname` ignores them, too. */
const notForDirectories = new Set(["EINVAL", "EBADF", "ENOTSUP"]);

/** What Windows answers, which has no such call. */
const onWindows = new Set(["EPERM", "EISDIR", "EACCES"]);

/** Makes the names in a directory durable: files and directories that were created, renamed or removed in it. */
export async function syncDirectory(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    const directory = await fileSystem.open(path, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  } catch (error) {
    const code = errorCode(error) ?? "";
    if (notForDirectories.has(code)) return;
    if (process.platform === "win32" && onWindows.has(code)) return;
    throw error;
  }
}

/**
 * A function that creates a directory and those above it where they are missing, and returns when they are durable. What
 * fails is tried again by the next call.
 */
export function directoryMaker(fileSystem: FileSystem, path: string): () => Promise<void> {
  /** Directories with names that may not be durable. */
  const unsynced = new Set<string>();

  async function make(directory: string, hasParent = false): Promise<void> {
    const parent = dirname(directory);
    try {
      await fileSystem.mkdir(directory);
      unsynced.add(parent);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EEXIST") return;
      // Nothing can be made below a link that leads nowhere, or in /proc, though they exist.
      if (code !== "ENOENT" || hasParent || parent === directory) throw error;
      await make(parent);
      await make(directory, true);
    }
  }

  return async () => {
    await attempt("create the directory", path, () => make(path));
    for (const directory of unsynced) {
      await attempt("make durable the directory", directory, () =>
        syncDirectory(fileSystem, directory),
      );
      unsynced.delete(directory);
    }
  };
}
