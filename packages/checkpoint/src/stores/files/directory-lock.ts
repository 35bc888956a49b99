import { randomBytes } from "node:crypto";
import { readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { GradstepError, show } from "@gradstep/core";
import { platformClass } from "../../platform-class.js";
import type { StoreLock } from "../store.js";
import { errorCode, type FileSystem } from "./file-system.js";
import { isEnded, machine } from "./process-identity.js";
import { storeError } from "./store-error.js";

const fileName = "checkpoint.lock";

/** What a lock file says: the machine, the process, and a token that is unique. */
const pattern = /^([0-9a-f]+) (\d+) [0-9a-f]+$/;

/** A file that another process could be writing just now is not read more often than this. */
const maxAttempts = 5;

/**
 * Makes this process the only writer of a directory: a lock file says which process it is. That of a process which has
 * ended, or ran on another machine, is replaced.
 * @throws {GradstepError} `STORE_LOCKED` if the process of the lock file is alive; `STORE_FAILED`, `OUT_OF_SPACE`
 */
export async function lockDirectory(fileSystem: FileSystem, directory: string): Promise<StoreLock> {
  const path = join(directory, fileName);
  const token = `${machine()} ${process.pid} ${randomBytes(8).toString("hex")}`;
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    if (await create(fileSystem, path, token)) return lockOf(path, token);
    const owner = await ownerOf(fileSystem, path);
    if (owner === undefined) continue;
    if (owner.isAlive) throw locked(directory, path, owner.process);
    await removeStale(fileSystem, path, owner.text);
  }
  throw locked(directory, path, "another one");
}

/** A lock that is released at the end of the process, too, unless that is killed. */
function lockOf(path: string, token: string): StoreLock {
  const release = (): void => {
    process.off("exit", release);
    removeOwn(path, token);
  };
  process.on("exit", release);
  return { release };
}

/** Whether the lock file was made; false if there is one. */
async function create(fileSystem: FileSystem, path: string, text: string): Promise<boolean> {
  const bytes = new (platformClass("TextEncoder"))().encode(text);
  try {
    const file = await fileSystem.open(path, "wx");
    try {
      const { bytesWritten } = await file.write(bytes, 0, bytes.length);
      if (bytesWritten < bytes.length) throw new Error("the file system takes no more bytes");
    } catch (error) {
      await fileSystem.unlink(path).catch(() => {});
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw storeError(error, "write the lock file", path);
  }
}

interface LockOwner {
  readonly text: string;
  readonly process: string;
  readonly isAlive: boolean;
}

/** Whose lock file it is; undefined if it is gone, or not written yet. */
async function ownerOf(fileSystem: FileSystem, path: string): Promise<LockOwner | undefined> {
  try {
    const text = readFileSync(path, "utf8");
    const { mtimeMs } = await fileSystem.stat(path);
    const [, host, id] = pattern.exec(text) ?? [];
    // A process that was killed between creating and writing it leaves it empty.
    if (id === undefined)
      return mtimeMs < Date.now() - 10_000 ? { text, process: "", isAlive: false } : undefined;
    const isAlive = host === machine() && !isEnded(Number(id), mtimeMs);
    return { text, process: id, isAlive };
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw storeError(error, "read the lock file", path);
  }
}

/** Removes a lock file unless it is another one by now. */
async function removeStale(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const moved = `${path}.${randomBytes(8).toString("hex")}`;
  try {
    await fileSystem.rename(path, moved);
    // Another process may have replaced it between the two calls.
    if (readFileSync(moved, "utf8") === text) await fileSystem.unlink(moved);
    else await fileSystem.rename(moved, path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw storeError(error, "replace the lock file", path);
  }
}

function removeOwn(path: string, text: string): void {
  try {
    if (readFileSync(path, "utf8") === text) unlinkSync(path);
  } catch {
    // It is gone; or it stays, and is replaced when this process has ended.
  }
}

function locked(directory: string, path: string, owner: string): GradstepError {
  return new GradstepError(
    owner === String(process.pid)
      ? `This process already saves in ${show(directory)}; expected one checkpointer at a time. close() the other one, or choose another directory.`
      : `Process ${owner} saves in ${show(directory)}; expected one at a time. End it or close() its checkpointer, or choose another directory. If no such process trains, remove ${show(path)}.`,
    { code: "STORE_LOCKED" },
  );
}
