import { describe, expect, test } from "vitest";
import { createHeap } from "../src/memory/growable-heap.js";
import type { BatchTable } from "../src/planning/batch-table.js";
import { chunkSize, ChunkTable } from "../src/threads/chunk-table.js";

const entryWords = 6;
const firstEntry = 1024;

interface Chunk {
  readonly entry: number;
  readonly start: number;
  readonly end: number;
}

/** A batch of tensors with these numbers of elements, and its chunks as threads find them. */
function tableOf(): { divide: (sizes: readonly number[], layoutVersion: number) => Chunk[] } {
  const heap = createHeap(2 ** 24);
  const batch = { address: firstEntry, entryWords, words: new Int32Array(0), count: 0 };
  const table = new ChunkTable(heap, batch as unknown as BatchTable);
  return {
    divide: (sizes, layoutVersion) => {
      const words = new Int32Array(entryWords * sizes.length);
      sizes.forEach((size, i) => words.set([size], i * entryWords));
      Object.assign(batch, { words, count: sizes.length, layoutVersion });
      table.divide();
      const start = table.end - 12 * table.count;
      const chunks = new Int32Array(heap.memory.buffer, start, 3 * table.count);
      return Array.from({ length: table.count }, (_, i) => ({
        entry: (chunks[3 * i] - firstEntry) / (4 * entryWords),
        start: chunks[3 * i + 1],
        end: chunks[3 * i + 2],
      }));
    },
  };
}

describe("the chunks of a batch", () => {
  test.each([1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, 3 * chunkSize - 1])(
    "cover %i elements, each once, and none is empty",
    (size) => {
      const chunks = tableOf().divide([size], 1);
      expect(chunks.map(({ start }) => start)).toEqual(
        Array.from({ length: Math.ceil(size / chunkSize) }, (_, i) => i * chunkSize),
      );
      chunks.forEach(({ end }, i) => expect(end).toBe(chunks[i + 1]?.start ?? size));
      for (const { start, end } of chunks) expect(end).toBeGreaterThan(start);
    },
  );

  test("are those of all tensors, in their order", () => {
    expect(tableOf().divide([chunkSize, 5, 2 * chunkSize, chunkSize + 7], 1)).toEqual([
      { entry: 0, start: 0, end: chunkSize },
      { entry: 1, start: 0, end: 5 },
      { entry: 2, start: 0, end: chunkSize },
      { entry: 2, start: chunkSize, end: 2 * chunkSize },
      { entry: 3, start: 0, end: chunkSize },
      { entry: 3, start: chunkSize, end: chunkSize + 7 },
    ]);
  });

  test("follow the layout of the batch, also when there are fewer than before", () => {
    const table = tableOf();
    expect(table.divide([2 * chunkSize, 3], 1)).toHaveLength(3);
    expect(table.divide([3], 2)).toEqual([{ entry: 0, start: 0, end: 3 }]);
    expect(table.divide([9 * chunkSize], 3)).toHaveLength(9);
  });
});
