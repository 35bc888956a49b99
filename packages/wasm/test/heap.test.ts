import { GradstepError } from "@gradstep/core";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { ForeignHeap } from "../src/memory/foreign-heap.js";
import { canCreateMemory, createHeap, GrowableHeap } from "../src/memory/growable-heap.js";
import type { Heap } from "../src/memory/heap.js";

const mebibyte = 2 ** 20;
const page = 65536;

afterEach(() => {
  vi.restoreAllMocks();
});

test("blocks are aligned, disjoint and inside the memory, and all free blocks merge", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 300_000 }), frees: fc.nat() }), {
        maxLength: 60,
      }),
      (actions) => {
        const heap = createHeap(64 * mebibyte);
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
  const heap = createHeap(mebibyte);
  const [a, b, c] = [100, 64, 4].map((bytes) => heap.allocate(bytes));
  expect([b - a, c - b]).toEqual([128, 64]);
  expect(heap.used).toBe(128 + 64 + 64);
});

test("a small block fills the gap before an aligned large one", () => {
  const heap = createHeap(mebibyte);
  const [small, large, second] = [64, 10_000, 64].map((bytes) => heap.allocate(bytes));
  expect([large - small, second - small]).toEqual([512, 64]);
});

test("a block is large from 8192 bytes on", () => {
  const heap = createHeap(mebibyte);
  const [small, smaller, large] = [64, 8191, 8192].map((bytes) => heap.allocate(bytes));
  expect([smaller - small, large - small]).toEqual([64, 8704]);
});

test("a block that is freed twice is free once, and merges with its neighbor", () => {
  const heap = createHeap(mebibyte);
  const [first, second] = [64, 64].map((bytes) => heap.allocate(bytes));
  heap.free(first);
  heap.free(first);
  heap.free(second);
  heap.free(4);
  expect(heap.allocate(1000)).toBe(first);
});

describe("the memory grows", () => {
  // A large block may need 448 bytes more to be aligned, and the first 512 bytes stay unused.
  const fits = 2 * page - 448 - 512;

  test("up to its limit", () => {
    expect(createHeap(2 * page).allocate(fits)).toBe(512);
    expect(() => createHeap(2 * page).allocate(fits + 64)).toThrow(
      expect.objectContaining({ code: "OUT_OF_MEMORY" }),
    );
    expect(createHeap(page).allocate(64)).toBe(512);
  });

  test("by what is missing behind the free bytes at its end", () => {
    const heap = createHeap(2 * page);
    expect(heap.allocate(100)).toBe(512);
    // 512 + 128 bytes are not free.
    expect(heap.allocate(2 * page - 640 - 448)).toBe(1024);
    expect(heap.memory.buffer.byteLength).toBe(2 * page);
  });

  test("by a quarter at least", () => {
    const heap = createHeap(64 * mebibyte);
    heap.allocate(8 * mebibyte);
    expect(heap.memory.buffer.byteLength).toBe(129 * page);
    heap.allocate(page);
    expect(heap.memory.buffer.byteLength).toBe((129 + 33) * page);
  });

  test("by what is needed, where a quarter is refused", () => {
    const heap = new GrowableHeap(new WebAssembly.Memory({ initial: 0, maximum: 9 }), mebibyte);
    heap.allocate(8 * page - 1024);
    heap.allocate(1024);
    expect(heap.memory.buffer.byteLength).toBe(9 * page);
    const refused = expect.objectContaining({
      code: "OUT_OF_MEMORY",
      cause: expect.any(RangeError) as unknown,
    }) as Error;
    expect(() => heap.allocate(page)).toThrow(refused);
  });
});

test("no address space for a memory is an error with its cause", () => {
  expect(canCreateMemory()).toBe(true);
  const cause = new RangeError("no room");
  vi.spyOn(WebAssembly, "Memory").mockImplementation(function refuse() {
    throw cause;
  });
  expect(canCreateMemory()).toBe(false);
  expect(() => createHeap(mebibyte)).toThrow(
    expect.objectContaining({ code: "OUT_OF_MEMORY", cause }),
  );
});

describe("a heap of the user", () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const allocate = (): number => 64;
  const free = (): void => {};

  test("may return a block at the end of its memory, and none beyond", () => {
    const heap = new ForeignHeap({ memory, allocate: () => page - 64, free });
    expect(heap.allocate(64)).toBe(page - 64);
    expect(() => heap.allocate(65)).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  });

  test.each([
    [undefined],
    [{ memory: { buffer: new ArrayBuffer(page) }, allocate, free }],
    [{ memory, free }],
    [{ memory, allocate: 64, free }],
    [{ memory, allocate }],
    [{ memory, allocate, free: true }],
  ])("is refused without a memory or a function, case %#", (heap) => {
    expect(() => new ForeignHeap(heap as unknown as Heap)).toThrow(
      expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }),
    );
  });
});

test("pages that others have added are not used", () => {
  const heap = createHeap(4 * mebibyte);
  const first = heap.allocate(1000);
  const theirs = heap.memory.grow(3) * 65536;
  const second = heap.allocate(500_000);
  const isTheirs = (address: number, bytes: number): boolean =>
    address < theirs + 3 * 65536 && theirs < address + bytes;
  expect(isTheirs(first, 1000) || isTheirs(second, 500_000)).toBe(false);
});

test("a full heap is an error, and freed memory can be allocated again", () => {
  const heap = createHeap(mebibyte);
  const address = heap.allocate(mebibyte / 2);
  const full = (): number => heap.allocate(mebibyte / 2);
  expect(full).toThrow(GradstepError);
  expect(full).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  heap.free(address);
  heap.free(address);
  expect(full()).toBe(address);
});

test("more than 4 GiB is refused before the memory grows", () => {
  const heap = createHeap(2 ** 32);
  expect(() => heap.allocate(2 ** 32)).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  expect(heap.memory.buffer.byteLength).toBe(0);
});

test.each([0, 1, -1, 65535, 2 ** 32 + 1, Number.NaN, 70_000.5, "1 GiB"])(
  "memoryLimit %j is refused",
  (limit) => {
    expect(() => createHeap(limit as number)).toThrow(
      expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }),
    );
  },
);
