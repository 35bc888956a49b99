import { expect, test } from "vitest";
import { GrowableBuffer } from "../src/memory/growable-buffer.js";
import type { Heap } from "../src/memory/heap.js";

/** A heap that never reuses a block, and what was asked of it. */
function recording(): {
  heap: Heap;
  allocated: number[];
  freed: number[];
  grow: () => void;
} {
  const allocated: number[] = [];
  const freed: number[] = [];
  const memory = { buffer: new ArrayBuffer(4096) };
  let next = 16;
  const heap = {
    memory,
    allocate: (byteLength: number) => {
      allocated.push(byteLength);
      const address = next;
      next += 16 * Math.ceil(byteLength / 16);
      return address;
    },
    free: (address: number) => {
      freed.push(address);
    },
  } as unknown as Heap;
  const grow = (): void => {
    memory.buffer = structuredClone(memory.buffer, { transfer: [memory.buffer] });
  };
  return { heap, allocated, freed, grow };
}

test("there is no block before one is asked for", () => {
  const { heap, allocated } = recording();
  const buffer = new GrowableBuffer(heap);
  expect(buffer.reserve(0)).toBe(true);
  expect(buffer.address).toBe(0);
  expect(buffer.words.length).toBe(0);
  expect(allocated).toEqual([]);
});

test("a block that is too small is replaced by one of at least twice its length, and freed", () => {
  const { heap, allocated, freed } = recording();
  const buffer = new GrowableBuffer(heap);
  expect(buffer.reserve(3)).toBe(false);
  expect(buffer.address).toBe(16);
  expect(buffer.reserve(3)).toBe(true);
  expect(freed).toEqual([]);
  expect(buffer.reserve(4)).toBe(false);
  expect(buffer.words.length).toBe(6);
  expect(buffer.reserve(6)).toBe(true);
  expect(buffer.reserve(100)).toBe(false);
  expect(buffer.words.length).toBe(100);
  expect(allocated).toEqual([4 * 3, 4 * 6, 4 * 100]);
  // Blocks begin at 16, 32 and 64.
  expect(freed).toEqual([16, 32]);
  expect(buffer.address).toBe(64);
});

test("both views are of the block", () => {
  const { heap } = recording();
  const buffer = new GrowableBuffer(heap);
  buffer.reserve(4);
  buffer.floats.set([1, 2, 3, 4]);
  expect([...new Float32Array(heap.memory.buffer, buffer.address, 4)]).toEqual([1, 2, 3, 4]);
  // The bits of 1 in f32.
  expect(buffer.words[0]).toBe(0x3f800000);
  expect([buffer.words.length, buffer.floats.length]).toEqual([4, 4]);
});

test("views are renewed where growth of the memory has detached them, and kept otherwise", () => {
  const { heap, grow } = recording();
  const buffer = new GrowableBuffer(heap);
  buffer.reserve(4);
  const { words } = buffer;
  words.set([5, 6, 7, 8]);
  buffer.reserve(2);
  expect(buffer.words).toBe(words);
  grow();
  expect(words.length).toBe(0);
  expect(buffer.reserve(2)).toBe(true);
  expect([...buffer.words]).toEqual([5, 6, 7, 8]);
  expect(buffer.floats.length).toBe(4);
});
