import { GradstepError } from "@gradstep/core";
import { hasFixedMemory } from "@gradstep/core/internal";

/** The length of a block, in bytes: the chunks of an encoded file, and what is hashed at a time. */
export const blockLength = 2 ** 20;

/**
 * Cuts and joins chunks of any length into blocks of 1 MiB, of which the last one is shorter. A block that lies within one
 * chunk is a view of it, except if that is shared or resizable, which hashes and files do not take; others are new.
 *
 * @param size the bytes of all chunks
 * @param tail how many bytes at the end are a block of their own
 * @throws {GradstepError} `INVALID_FILE` if there are fewer bytes, or more
 */
export async function* blocks(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  size: number,
  tail: number = 0,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  let left = size;
  let block = new Uint8Array(0);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      if (left === 0) throw wrongLength(`more than ${size}`, size);
      const length = left > tail ? Math.min(blockLength, left - tail) : left;
      if (filled === 0 && chunk.length - at >= length && hasFixedMemory(chunk)) {
        yield chunk.subarray(at, at + length);
        left -= length;
        at += length;
        continue;
      }
      if (filled === 0) block = new Uint8Array(length);
      const part = chunk.subarray(at, at + length - filled);
      block.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled === length) {
        yield block;
        left -= length;
        filled = 0;
      }
    }
  }
  if (left > 0) throw wrongLength(String(size - left + filled), size);
}

function wrongLength(got: string, expected: number): GradstepError {
  return new GradstepError(
    `Got ${got} bytes; expected ${expected}, the size of the file. It was cut off, or changed while it was read.`,
    { code: "INVALID_FILE" },
  );
}
