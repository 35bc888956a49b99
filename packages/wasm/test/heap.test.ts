import { GradstepError } from "@gradstep/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createArena } from "../src/memory/growable-heap.js";

const mebibyte = 2 ** 20;

test("ranges are aligned, disjoint, inside the memory, and come back whole", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 300_000 }), frees: fc.nat() }), {
        maxLength: 60,
      }),
      (actions) => {
        const arena = createArena(false, 64 * mebibyte);
        const held: { address: number; bytes: number }[] = [];
        for (const { bytes, frees } of actions) {
          const address = arena.allocate(bytes);
          held.push({ address, bytes });
          if (frees % 3 === 0) {
            const [gone] = held.splice(frees % held.length, 1);
            arena.free(gone.address);
          }
        }
        const sorted = [...held].sort((a, b) => a.address - b.address);
        sorted.forEach(({ address, bytes }, i) => {
          expect(address % (bytes < 8192 ? 64 : 512)).toBe(0);
          expect(address).toBeGreaterThan(0);
          expect(address + bytes).toBeLessThanOrEqual(
            sorted[i + 1]?.address ?? arena.memory.buffer.byteLength,
          );
        });
        for (const { address } of held) arena.free(address);
        expect(arena.used).toBe(0);
        // All of it is one range again: it can be had without growing.
        const { byteLength } = arena.memory.buffer;
        if (byteLength > 0) arena.allocate(byteLength - 512);
        expect(arena.memory.buffer.byteLength).toBe(byteLength);
      },
    ),
  );
});

test("what is allocated in a row lies in a row", () => {
  const arena = createArena(false, mebibyte);
  const [a, b, c] = [100, 64, 4].map((bytes) => arena.allocate(bytes));
  expect([b - a, c - b]).toEqual([128, 64]);
});

test("a small block takes the room that the alignment of a large one leaves", () => {
  const arena = createArena(false, mebibyte);
  const [small, large, second] = [64, 10_000, 64].map((bytes) => arena.allocate(bytes));
  expect([large - small, second - small]).toEqual([512, 64]);
});

test("the last page stays unused, and memory of others is left alone", () => {
  const arena = createArena(false, 4 * mebibyte);
  const first = arena.allocate(1000);
  const theirs = arena.memory.grow(3) * 65536;
  const second = arena.allocate(500_000);
  const isTheirs = (address: number, bytes: number): boolean =>
    address < theirs + 3 * 65536 && theirs < address + bytes;
  expect(isTheirs(first, 1000) || isTheirs(second, 500_000)).toBe(false);
});

test("an arena that is full says so, and what is freed can be had again", () => {
  const arena = createArena(false, mebibyte);
  const address = arena.allocate(mebibyte / 2);
  const full = (): number => arena.allocate(mebibyte / 2);
  expect(full).toThrow(GradstepError);
  expect(full).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  arena.free(address);
  arena.free(address);
  expect(full()).toBe(address);
});

test("more than 4 GiB is refused before anything is touched", () => {
  const arena = createArena(false, 2 ** 32);
  expect(() => arena.allocate(2 ** 32)).toThrow(expect.objectContaining({ code: "OUT_OF_MEMORY" }));
  expect(arena.memory.buffer.byteLength).toBe(0);
});

test.each([0, 1, -1, 65535, 2 ** 32 + 1, Number.NaN, 70_000.5, "1 GiB"])(
  "a limit of %j is refused",
  (limit) => {
    expect(() => createArena(false, limit as number)).toThrow(
      expect.objectContaining({ code: "INVALID_HYPERPARAMETER" }),
    );
  },
);
