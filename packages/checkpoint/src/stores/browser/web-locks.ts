import { GradstepError } from "@gradstep/core";
import type { StoreLock } from "../store.js";
import { accessError, missing } from "./store-error.js";

/** In milliseconds. A page that is reloaded gets the lock while the browser still takes it from the old page. */
const patience = 1000;

/**
 * Makes this tab the only writer of a store. The browser releases the lock when the tab or worker ends, however it ends.
 * @throws {GradstepError} `STORE_LOCKED`, `UNSUPPORTED`
 */
export async function lockStore(store: string): Promise<StoreLock> {
  const locks = webLocks();
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(patience);
    const held = locks.request(lockName(store), { signal }, () => {
      return new Promise<void>((release) => {
        resolve({ release });
      });
    });
    held.catch((cause: unknown) => {
      reject(signal.aborted ? locked(store) : accessError(cause, `lock ${store}`));
    });
  });
}

/**
 * Runs `write` with a new draft. Meanwhile, other tabs see that the draft has a writer.
 * @throws {GradstepError} `UNSUPPORTED`, and what `newDraft` and `write` throw
 */
export async function asWriter<T>(
  store: string,
  newDraft: () => string | Promise<string>,
  write: (draft: string) => Promise<T>,
): Promise<T> {
  const locks = webLocks();
  const draft = await newDraft();
  let started = false;
  try {
    return await locks.request(lockName(store, draft), () => {
      started = true;
      return write(draft);
    });
  } catch (cause) {
    throw started ? cause : accessError(cause, `lock ${store}`);
  }
}

/** Runs `remove` if the writer of the draft has ended. */
export async function ifAbandoned(
  store: string,
  draft: string,
  remove: () => Promise<unknown>,
): Promise<void> {
  await webLocks().request(lockName(store, draft), { ifAvailable: true }, async (lock) => {
    if (lock !== null) await remove();
  });
}

function lockName(store: string, draft = ""): string {
  return `@gradstep/checkpoint ${store} ${draft}`;
}

function webLocks(): LockManager {
  const { navigator } = globalThis as { readonly navigator?: Partial<Navigator> };
  if (navigator?.locks === undefined)
    throw missing(
      "The Web Locks API",
      "Browsers have it in secure contexts: serve the page over https or from localhost. Outside browsers, use fileStore or memoryStore.",
    );
  return navigator.locks;
}

function locked(store: string): GradstepError {
  return new GradstepError(
    `Another tab or worker saves to ${store}, or another checkpointer of this one does; expected one at a time. ` +
      "Close it, or give this one a store with another name.",
    { code: "STORE_LOCKED" },
  );
}
