import { GradstepError, show } from "@gradstep/core";
import { errorCode } from "./file-system.js";

const freeSpace =
  "Free space there, or keep fewer checkpoints. The checkpoints that are listed are unharmed.";
const allow = "Let this process read and write there, or choose another directory.";
const closeFiles = "Close files that this process has open, or raise the limit of open files.";

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: freeSpace,
  EDQUOT: freeSpace,
  EACCES: allow,
  EPERM: allow,
  EROFS: allow,
  EEXIST: "Another file has this name. Choose another directory.",
  ENOTDIR: "A part of this path is a file. Choose a directory, or a path where one can be made.",
  ELOOP: "Symbolic links go in a circle here. Choose another directory.",
  ENAMETOOLONG: "Choose a directory with a shorter path.",
  ENOENT:
    "It was removed or renamed, perhaps by another process, or nothing can be created at this path.",
  EMFILE: closeFiles,
  ENFILE: closeFiles,
};

/** The error for an error of the operating system. `doing`: "write to …", "open …", without the path. */
export function storeError(cause: unknown, doing: string, path: string): GradstepError {
  if (cause instanceof GradstepError) return cause;
  const code = errorCode(cause) ?? "";
  const reason = cause instanceof Error ? cause.message : show(cause);
  const remedy = remedies[code] ?? "Check the disk and how it is mounted, then try again.";
  return new GradstepError(`Cannot ${doing} ${show(path)} (${reason}). ${remedy}`, {
    code: remedy === freeSpace ? "OUT_OF_SPACE" : "STORE_FAILED",
    cause,
  });
}

/** Calls the file system; what it throws becomes a `STORE_FAILED` or an `OUT_OF_SPACE`. */
export async function attempt<T>(doing: string, path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw storeError(cause, doing, path);
  }
}
