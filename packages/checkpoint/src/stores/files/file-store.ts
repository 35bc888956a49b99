import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GradstepError, show } from "@gradstep/core";
import { checkIoOptions } from "../../check-io-options.js";
import { byAge, checkpointId, sequenceOf } from "../checkpoint-id.js";
import { chunksUntilAborted } from "../chunks-until-aborted.js";
import type { CheckpointStore } from "../store.js";
import { unknownCheckpoint } from "../unknown-checkpoint.js";
import { directoryMaker, syncDirectory } from "./durable-directory.js";
import { lockDirectory } from "./directory-lock.js";
import { fileStream } from "./file-stream.js";
import { errorCode, type FileStatus, type FileSystem, nodeFileSystem } from "./file-system.js";
import { attempt, storeError } from "./store-error.js";
import { removeStaleFiles, temporaryName, writeTemporaryFile } from "./temporary-file.js";

const extension = ".safetensors";

/**
 * A store in a directory, in Node, Deno and Bun: one file per checkpoint, which is named `<id>.safetensors`. The first
 * write creates the directory. Other files in it are ignored.
 *
 * A checkpoint is written to a temporary file, which is renamed when its bytes are durable: it is listed as a whole or
 * not at all, whenever the process is killed or the machine loses power. Several processes can write to one directory,
 * unless one has locked it, as checkpointers do; a lock ends with its process, and is for processes of one machine.
 * @param directory a path, which is resolved at once, or a `file:` URL
 * @throws {GradstepError} `INVALID_HYPERPARAMETER` if it is neither
 */
export function fileStore(directory: string | URL): CheckpointStore {
  return fileStoreOn(nodeFileSystem, directory);
}

/** `fileStore` on any file system. */
export function fileStoreOn(fileSystem: FileSystem, location: string | URL): CheckpointStore {
  const directory = pathOf(location);
  const makeDirectory = directoryMaker(fileSystem, directory);
  const fileOf = (id: string): string => join(directory, id + extension);
  /** The largest sequence number that this store has seen or given. */
  let last = 0;

  /** The names of the files in the directory; none if it does not exist. */
  async function fileNames(): Promise<readonly string[]> {
    try {
      const entries = await fileSystem.readdir(directory, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw storeError(error, "list the directory", directory);
    }
  }

  /** Gives a durable file its name, and returns when the name is durable, too. */
  async function publish(temporary: string, path: string): Promise<void> {
    try {
      await attempt("rename the temporary file to", path, () => fileSystem.rename(temporary, path));
      await attempt("make durable the names in", directory, () =>
        syncDirectory(fileSystem, directory),
      );
    } catch (error) {
      // A rename can fail and yet have been done, on a network's file system.
      await fileSystem.unlink(path).catch(() => {});
      throw error;
    }
  }

  return {
    async list() {
      return idsOf(await fileNames());
    },

    async write(chunks, options = {}) {
      checkIoOptions("write", options, ["signal"]);
      const { signal } = options;
      signal?.throwIfAborted();
      await makeDirectory();
      const names = await fileNames();
      await removeStaleFiles(fileSystem, directory, names);
      for (const id of idsOf(names)) last = Math.max(last, sequenceOf(id) ?? 0);
      const id = checkpointId(++last, randomBytes(8).toString("hex"));
      const temporary = join(directory, temporaryName());
      try {
        await writeTemporaryFile(fileSystem, temporary, chunksUntilAborted(chunks, signal));
        signal?.throwIfAborted();
        await publish(temporary, fileOf(id));
      } catch (error) {
        // It may not exist; and if it cannot be removed, a later process removes it.
        await fileSystem.unlink(temporary).catch(() => {});
        throw error;
      }
      return id;
    },

    async lock() {
      await makeDirectory();
      return lockDirectory(fileSystem, directory);
    },

    async open(id) {
      if (sequenceOf(id) === undefined) throw unknownCheckpoint(id, show(directory));
      const path = fileOf(id);
      const status = await statusOf(fileSystem, path);
      if (status?.isFile() !== true) throw unknownCheckpoint(id, show(directory));
      const { size } = status;
      return { size, stream: () => fileStream(fileSystem, path, size) };
    },

    async remove(id) {
      if (sequenceOf(id) === undefined) return;
      const path = fileOf(id);
      try {
        await fileSystem.unlink(path);
      } catch (error) {
        if (errorCode(error) !== "ENOENT") throw storeError(error, "remove the checkpoint", path);
      }
    },
  };
}

/** The status of a file; undefined if it does not exist. */
async function statusOf(fileSystem: FileSystem, path: string): Promise<FileStatus | undefined> {
  try {
    return await fileSystem.stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw storeError(error, "open the checkpoint", path);
  }
}

function idsOf(fileNames: readonly string[]): readonly string[] {
  return fileNames
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length))
    .filter((id) => sequenceOf(id) !== undefined)
    .sort(byAge);
}

function pathOf(directory: string | URL): string {
  try {
    if (directory instanceof URL) return fileURLToPath(directory);
    if (typeof directory === "string" && directory !== "" && !directory.includes("\0"))
      return resolve(directory.startsWith("file://") ? fileURLToPath(directory) : directory);
  } catch {
    // The URL is not of a file.
  }
  throw new GradstepError(
    `fileStore got ${show(directory)} as its directory; expected a path or a file: URL, such as "checkpoints/my-run".`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}
