import { adam, variantOf, type Tensor, type Update } from "@gradstep/core";
import { expect, test } from "vitest";
import { createHeap } from "../src/memory/growable-heap.js";
import { WasmTensor } from "../src/memory/wasm-tensor.js";
import { BatchTable } from "../src/planning/batch-table.js";
import { chunkSize, ChunkTable } from "../src/threads/chunk-table.js";
import { wasm } from "../src/index.js";

const variant = variantOf(adam());
const backend = wasm();

/** A batch of tensors of these sizes, and its chunks. */
function tables() {
  const heap = createHeap(false, 2 ** 26);
  const context = { backend, heap, isShared: false, onRelocate: () => {} };
  const batch = new BatchTable(heap);
  const chunks = new ChunkTable(heap, batch);
  const fill = (sizes: readonly number[]): void => {
    const updates = sizes.map((size): Update => {
      const tensor = (): Tensor => new WasmTensor(context, [size]).allocate();
      return {
        parameter: tensor(),
        mirror: undefined,
        gradient: tensor(),
        mask: undefined,
        unselectedRows: "keep",
        slots: [tensor(), tensor()],
        scalars: new Float64Array(variant.scalars.length),
      };
    });
    batch.fill(variant, updates, updates.length);
  };
  /** As [entry, first element, end]. */
  const rows = (): number[][] => {
    const words = new Int32Array(heap.memory.buffer);
    const start = chunks.end / 4 - 3 * chunks.count;
    return Array.from({ length: chunks.count }, (_, i) => {
      const [address, first, end] = words.subarray(start + 3 * i, start + 3 * i + 3);
      return [(address - batch.address) / (4 * batch.entryWords), first, end];
    });
  };
  return { heap, batch, chunks, fill, rows };
}

test.each([
  [[1], [[0, 0, 1]]],
  [[chunkSize - 1], [[0, 0, chunkSize - 1]]],
  [[chunkSize], [[0, 0, chunkSize]]],
  [
    [chunkSize + 1],
    [
      [0, 0, chunkSize],
      [0, chunkSize, chunkSize + 1],
    ],
  ],
  [
    [2 * chunkSize, 3, 2 * chunkSize + 7],
    [
      [0, 0, chunkSize],
      [0, chunkSize, 2 * chunkSize],
      [1, 0, 3],
      [2, 0, chunkSize],
      [2, chunkSize, 2 * chunkSize],
      [2, 2 * chunkSize, 2 * chunkSize + 7],
    ],
  ],
])("tensors of %j elements are divided into exactly these chunks", (sizes, expected) => {
  const { chunks, fill, rows } = tables();
  fill(sizes);
  chunks.divide();
  expect(chunks.count).toBe(expected.length);
  expect(rows()).toEqual(expected);
});

test("a batch with another layout is divided again; one with the same layout is not", () => {
  const { batch, chunks, fill, rows } = tables();
  fill([chunkSize, 5]);
  chunks.divide();
  const version = batch.layoutVersion;
  const { end } = chunks;
  // Other tensors of the same sizes.
  fill([chunkSize, 5]);
  expect(batch.layoutVersion).toBe(version);
  // A mark that dividing again would overwrite.
  new Int32Array(batch.words.buffer)[end / 4 - 1] = -1;
  chunks.divide();
  expect(rows()[1]).toEqual([1, 0, -1]);
  for (const sizes of [[chunkSize, 6], [chunkSize], [chunkSize, 5, 1]]) {
    fill(sizes);
    chunks.divide();
    expect(rows()).toEqual(sizes.map((size, i) => [i, 0, size]));
  }
});

test("elements counts all entries", () => {
  const { batch, fill } = tables();
  fill([chunkSize, 5, 7]);
  expect(batch.elements).toBe(chunkSize + 12);
  expect(batch.count).toBe(3);
});
