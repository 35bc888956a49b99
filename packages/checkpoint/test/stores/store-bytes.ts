import type { ByteSource } from "../../src/stores/store.js";

/** Bytes that look random, the same for the same seed (xorshift32). */
export function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  let word = (seed * 0x9e3779b1) | 1;
  for (let i = 0; i < words.length; i++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[i] = word;
  }
  return new Uint8Array(words.buffer, 0, length);
}

/** The bytes in chunks of `size`. */
export async function* inChunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) {
    await Promise.resolve();
    yield bytes.subarray(start, start + size);
  }
}

export async function readAll(source: ByteSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = source.stream().getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read())
    chunks.push(next.value);
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, start);
    start += chunk.length;
  }
  return bytes;
}

/** Throws unless the values are equal; bytes are compared one by one. */
export function expectEqual(actual: unknown, expected: unknown): void {
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) {
    const same =
      actual.length === expected.length && actual.every((byte, i) => byte === expected[i]);
    if (same) return;
    throw new Error(`Got ${actual.length} other bytes than the ${expected.length} expected`);
  }
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`Got ${got}; expected ${wanted}`);
}

/** What a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Expected a rejection");
}

export async function codeOfRejection(promise: Promise<unknown>): Promise<unknown> {
  const error = await rejectionOf(promise);
  return (error as { code?: unknown }).code ?? error;
}
