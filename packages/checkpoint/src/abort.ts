/** A promise that rejects with the signal's reason when it is aborted, until `forget` is called. */
export function rejectionOnAbort(signal: AbortSignal): {
  readonly promise: Promise<never>;
  forget(): void;
} {
  let abort = (): void => {};
  const promise = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signal.reason as Error);
    };
  });
  // Where nothing waits for it, a rejection is not an error.
  promise.catch(() => {});
  signal.addEventListener("abort", abort);
  return {
    promise,
    forget: () => {
      signal.removeEventListener("abort", abort);
    },
  };
}

/** Waits for `end`, which never rejects; rejects with the signal's reason as soon as it is aborted. */
export async function waitFor(
  end: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const aborted = signal && rejectionOnAbort(signal);
  try {
    await (aborted === undefined ? end : Promise.race([end, aborted.promise]));
  } finally {
    aborted?.forget();
  }
}
