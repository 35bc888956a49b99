import { GradstepError, show } from "@gradstep/core";

/** Names of errors with which browsers refuse storage as a whole: in private windows, in frames, by a setting. */
const refusals = new Set(["SecurityError", "NotAllowedError"]);

/** The error for an error of the platform. `doing`: "write to …", "open …". */
export function storeError(cause: unknown, doing: string): GradstepError {
  if (cause instanceof GradstepError) return cause;
  const reason = describe(cause);
  if (nameOf(cause) === "QuotaExceededError")
    return new GradstepError(
      `Cannot ${doing}: the quota of this site is used up, or the disk is full (${reason}). ` +
        "The checkpoints that are listed are unharmed. Remove old ones, or free space; " +
        "navigator.storage.estimate() tells the quota and its use.",
      { code: "OUT_OF_SPACE", cause },
    );
  return new GradstepError(
    `Cannot ${doing}: ${reason}. If the data of this site was cleared, or another tab deleted the store, ` +
      "its checkpoints are gone, and the next save starts an empty store. " +
      "Otherwise they are unharmed: save again; if that fails, too, restart the browser.",
    { code: "STORE_FAILED", cause },
  );
}

/** Like `storeError`, for what comes before any read or write. */
export function accessError(cause: unknown, doing: string): GradstepError {
  return refusals.has(nameOf(cause)) ? refused(doing, cause) : storeError(cause, doing);
}

/** `UNSUPPORTED`: the browser has the interface, but not for this page. */
function refused(doing: string, cause: unknown): GradstepError {
  return new GradstepError(
    `Cannot ${doing}: the browser lets this page store nothing (${describe(cause)}). ` +
      "This happens in private windows, in sandboxed or third-party frames, and where a setting blocks the data of sites. " +
      "Use memoryStore(), and offer the checkpoint as a download.",
    { code: "UNSUPPORTED", cause },
  );
}

/** `UNSUPPORTED`: the browser does not have the interface. */
export function missing(api: string, remedy: string): GradstepError {
  return new GradstepError(`${api} is not available here. ${remedy}`, { code: "UNSUPPORTED" });
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function checkName(name: string, store: string): void {
  if (typeof name !== "string" || name === "")
    throw new GradstepError(
      `${store} got ${show(name)} as its name; expected a string that is not empty, such as "my-run".`,
      { code: "INVALID_HYPERPARAMETER" },
    );
}

function nameOf(cause: unknown): string {
  return cause instanceof Error || cause instanceof DOMException ? cause.name : "";
}

function describe(cause: unknown): string {
  if (cause === null || cause === undefined) return "the browser gave no reason";
  if (!(cause instanceof Error || cause instanceof DOMException)) return show(cause);
  return cause.message === "" ? cause.name : `${cause.name}: ${cause.message.replace(/\.$/, "")}`;
}
