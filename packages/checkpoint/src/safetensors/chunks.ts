import { GradstepError, show } from "@gradstep/core";
import { isInstance, propertyOf } from "@gradstep/core/internal";
import type { ByteSource } from "../stores/store.js";

/** The bytes of a file: in memory, a `Blob` or `File`, or what a store opens. */
export type SafetensorsSource = ByteSource | Uint8Array | ArrayBuffer;

/** @throws {GradstepError} `INVALID_FILE` for what has no bytes */
export function sizeOf(source: SafetensorsSource): number {
  if (isInstance(source, ArrayBuffer) || ArrayBuffer.isView(source)) return source.byteLength;
  const size = propertyOf(source, "size");
  const hasStream = typeof propertyOf(source, "stream") === "function";
  if (Number.isSafeInteger(size) && hasStream) return size as number;
  const remedy = Number.isSafeInteger(size)
    ? 'It has no method stream; if it is a Blob of jsdom, use testEnvironment: "node" in Jest.'
    : "Of a response: await response.blob().";
  throw new GradstepError(
    `Got ${show(source)} as a file; expected a Uint8Array, an ArrayBuffer, a Blob, or what a store opens. ${remedy}`,
    { code: "INVALID_FILE" },
  );
}

/** The chunks of a file. If the signal aborts, they end. */
export async function* chunksOf(
  source: SafetensorsSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  signal?.throwIfAborted();
  if (source instanceof ArrayBuffer) yield new Uint8Array(source);
  else if (ArrayBuffer.isView(source))
    yield new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  else {
    const reader = source.stream().getReader();
    const cancel = (): void => void reader.cancel(signal!.reason).catch(() => undefined);
    signal?.addEventListener("abort", cancel);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        signal?.throwIfAborted();
        if (done) return;
        yield value;
      }
    } finally {
      signal?.removeEventListener("abort", cancel);
      await reader.cancel().catch(() => undefined);
    }
  }
}
