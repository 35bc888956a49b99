import { GradstepError } from "@gradstep/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHeap } from "../src/memory/growable-heap.js";

const mebibyte = 2 ** 20;

test("blocks are aligned, disjoint and inside the memory, and all free blocks merge", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 300_000 }), frees: fc.nat() }), {
        maxLength: 60,
      }),
      (actions) => {
        const heap = createHeap(false, 64 * mebibyte);
        const held: { address: number; bytes: number }[] = [];
        for (const { bytes, frees } of actions) {
          const address = heap.allocate(bytes);
          held.push({ address, bytes });
          if (frees % 3 === 0) {
            const [gone] = held.splice(frees % held.length, 1);
            heap.free(gone.address);
          }
        }
        const sorted = [...held].sort((a, b) => a.address - b.address);
        sorted.forEach(({ address, bytes }, i) => {
          expect(address % (bytes < 8192 ? 64 : 512)).toBe(0);
          expect(address).toBeGreaterThan(0);
          expect(address + bytes).toBeLessThanOrEqual(
            sorted[i + 1]?.address ?? heap.memory.buffer.byteLength,
          );
        });
        for (const { address } of held) heap.free(address);
        expect(heap.used).toBe(0);
        // All of it is one range again: it can be had without growing.
        const { byteLength } = heap.memory.buffer;
        if (byteLength > 0) heap.allocate(byteLength - 512);
        expect(heap.memory.buffer.byteLength).toBe(byteLength);
      },
    ),
  );
});

test("successive allocations are adjacent", () => {
  const heap = createHeap(false, mebibyte);
  const [a, b, c] = [100, 64, 4].map((bytes) => heap.allocate(bytes));
  expect([b - a, c - b]).toEqual([128, 64]);
});

test("a small block fills the gap before an aligned large one", () => {
  const heap = createHeap(false, mebibyte);
  const [small, large, second] = [64, 10_000, 64].map((bytes) => heap.allocate(bytes));
  expect([large - small, second - small]).toEqual([512, 64]);
});

test("pages that others have added are not used", () => {
  const heap = createHeap(false, 4 * mebibyte);
  const first = heap.allocate(1000);
  const theirs = heap.memory.grow(3) * 65536;
  const second = heap.allocate(500_000);
  const isTheirs = (address: number, bytes: number): boolean =>
    address < theirs + 3 * 65536 && theirs < address + bytes;
  expect(isTheirs(first, 1000) || isTheirs(second, 500_000)).toBe(false);
});

test("a full heap is an error, and freed memory can be allocated again", () => {
  const heap = createHeap(false, mebibyte);
  const address = heap.allocate(mebibyte / 2);
  const full = (): number => heap.allocate(mebibyte / 2);
  expect(full).toThrow(GradstepError);
  expect(full).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  heap.free(address);
  heap.free(address);
  expect(full()).toBe(address);
});

test("more than 4 GiB is refused before the memory grows", () => {
  const heap = createHeap(false, 2 ** 32);
  expect(() => heap.allocate(2 ** 32)).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  expect(heap.memory.buffer.byteLength).toBe(0);
});

test.each([0, 1, -1, 65535, 2 ** 32 + 1, Number.NaN, 70_000.5, "1 GiB"])(
  "memoryLimit %j is refused",
  (limit) => {
    expect(() => createHeap(false, limit as number)).toThrow(
      expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }),
    );
  },
);
