import { chunksUntilAborted } from "../chunks-until-aborted.js";

/** How many bytes are written and read at once. What a store holds in memory is about one piece. */
export const pieceSize = 4 * 2 ** 20;

/**
 * The bytes of the chunks in pieces of `pieceSize` bytes; the last piece may have fewer. The next piece overwrites the
 * one before. Rejects like `chunksUntilAborted`.
 */
export async function* inPieces(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const piece = new Uint8Array(pieceSize);
  let filled = 0;
  for await (const chunk of chunksUntilAborted(chunks, signal)) {
    for (let start = 0; start < chunk.length;) {
      const end = Math.min(chunk.length, start + pieceSize - filled);
      piece.set(chunk.subarray(start, end), filled);
      filled += end - start;
      start = end;
      if (filled === pieceSize) {
        yield piece;
        signal?.throwIfAborted();
        filled = 0;
      }
    }
  }
  if (filled > 0) {
    // A copy, so that no more than its bytes are stored.
    yield piece.slice(0, filled);
    signal?.throwIfAborted();
  }
}

/** A stream of `count` pieces, each of which is read when it is asked for. */
export function streamOfPieces(
  count: number,
  read: (index: number) => Promise<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let index = 0;
  return new ReadableStream(
    {
      async pull(controller) {
        if (index === count) controller.close();
        else controller.enqueue(await read(index++));
      },
    },
    { highWaterMark: 0 },
  );
}
