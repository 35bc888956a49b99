import { GradstepError, show } from "@gradstep/core";
import { rejectionOnAbort } from "../abort.js";

/**
 * The chunks, until the signal is aborted. Rejects with what `chunks` throws, or with the signal's reason, also while
 * `chunks` gives nothing.
 * @throws {GradstepError} `STORE_FAILED` for anything else than chunks of bytes
 */
export async function* chunksUntilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!isAsyncIterable(chunks))
    throw invalid(chunks, "an async iterable of Uint8Arrays, such as encodeCheckpoint(…)");
  for await (const chunk of signal === undefined ? chunks : untilAborted(chunks, signal)) {
    if (!isBytes(chunk)) throw invalid(chunk, "a Uint8Array in every chunk");
    yield chunk;
  }
}

function isAsyncIterable(value: AsyncIterable<Uint8Array>): boolean {
  try {
    return typeof value?.[Symbol.asyncIterator] === "function";
  } catch {
    // A proxy that was revoked.
    return false;
  }
}

async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const aborted = rejectionOnAbort(signal);
  const iterator = source[Symbol.asyncIterator]();
  let done: boolean | undefined = false;
  try {
    while (true) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted.promise]);
      done = next.done;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    aborted.forget();
    // Not awaited: an iterator that gives nothing would not end, either.
    if (done !== true) void iterator.return?.().catch(() => {});
  }
}

function isBytes(value: unknown): value is Uint8Array {
  // By its tag, so that arrays of other realms are taken, too.
  return Object.prototype.toString.call(value) === "[object Uint8Array]";
}

function invalid(got: unknown, expected: string): GradstepError {
  return new GradstepError(`A store got ${show(got)} to write; expected ${expected}.`, {
    code: "STORE_FAILED",
  });
}
