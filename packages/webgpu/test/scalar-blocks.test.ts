import type { Update } from "@gradstep/core";
import { expect, test } from "vitest";
import type { TabledDispatch } from "../src/planning/dispatch/dispatch.js";
import { ScalarBlocks } from "../src/planning/scalars/scalar-blocks.js";
import { ScalarRing } from "../src/planning/scalars/scalar-ring.js";
import { RingEntries } from "../src/planning/scalars/ring-entries.js";
import { recordingDevice } from "./recording-device.js";

interface Dispatch {
  readonly scalarSets: readonly Float64Array[];
  readonly setLength: number;
  readonly scaleIndex?: number;
}

const alignment = 256;

function blocksOf(all: readonly Dispatch[], updates: readonly Partial<Update>[]): ScalarBlocks {
  const device = { limits: { minUniformBufferOffsetAlignment: alignment } } as unknown as GPUDevice;
  const dispatches = all.map(({ scalarSets, setLength, scaleIndex }) => ({
    scalarSets,
    kernel: { scalarSetLength: setLength, scaleIndex },
  }));
  return new ScalarBlocks(
    device,
    dispatches as unknown as readonly TabledDispatch[],
    updates as readonly Update[],
  );
}

const [a, b, c] = [
  Float64Array.of(1, 2, 3),
  Float64Array.of(4, 5, 6),
  Float64Array.of(7, 8, 9),
] as const;

test("each dispatch finds the scalars of its groups; those with the same groups share them", () => {
  const all: readonly Dispatch[] = [
    { scalarSets: [a], setLength: 16 },
    { scalarSets: [a, b], setLength: 16 },
    { scalarSets: [a, c], setLength: 16 },
    { scalarSets: [a, b], setLength: 32 },
    { scalarSets: [a, b], setLength: 16 },
    { scalarSets: [b, a], setLength: 16 },
  ];
  const blocks = blocksOf(all, [{ scalars: a }, { scalars: b }, { scalars: c }]);
  const values = new Float32Array(blocks.words().buffer);
  all.forEach(({ scalarSets, setLength }, d) => {
    const offset = blocks.offsets[d];
    expect(offset % alignment).toBe(0);
    scalarSets.forEach((set, k) => {
      const place = (offset + k * setLength) / 4;
      expect([...values.subarray(place, place + 3)]).toEqual([...set]);
    });
  });
  expect(blocks.offsets[4]).toBe(blocks.offsets[1]);
  expect(new Set(blocks.offsets).size).toBe(5);
  // A shader declares 16 sets, of which the last block may have fewer.
  expect(blocks.overhang).toBe(16 * 32);
});

test("the scale follows the scalars that a kernel reads, in this step and in later ones", () => {
  const updates = [a, b].map((scalars) => ({
    scalars,
    upcomingScalars: (steps: number, target: Float64Array): boolean => {
      target.set(scalars.map((value) => value + 100 * steps));
      return true;
    },
  }));
  const sets = { scalarSets: [a, b], setLength: 16 };
  // The first kernel does not scale, and shares its block with one that does. Both read two scalars of three.
  const blocks = blocksOf([sets, { ...sets, scaleIndex: 2 }], updates);
  blocks.scale = 0.5;
  const valuesOf = (words: Uint32Array<ArrayBuffer>): readonly number[][] =>
    [0, 4].map((place) => [...new Float32Array(words.buffer).subarray(place, place + 3)]);
  expect(valuesOf(blocks.words())).toEqual([
    [1, 2, 0.5],
    [4, 5, 0.5],
  ]);
  expect(valuesOf(blocks.upcomingWords(2)!)).toEqual([
    [201, 202, 0.5],
    [204, 205, 0.5],
  ]);
});

test("a longer binding than before makes a longer buffer", () => {
  const { device } = recordingDevice();
  const ring = new ScalarRing(device, "test", "UNIFORM");
  const step = (overhang: number) => ({
    entryLength: 256,
    overhang,
    words: () => new Uint32Array(4),
  });
  const short = ring.prepare(step(256), "backend");
  const long = ring.prepare(step(1024), "backend");
  expect(ring.prepare(step(256), "backend")).toBe(long);
  expect(long.size - short.size).toBe(1024 - 256);
});

test("no more slots are skipped than there were steps that stayed in one", () => {
  const slots = new RingEntries(8, 4);
  const words = (value: number): Uint32Array<ArrayBuffer> => Uint32Array.of(value);
  const step = {
    entryLength: 4,
    overhang: 0,
    words: () => words(1),
    upcomingWords: (steps: number) => words(1 + steps),
  };
  slots.fill(0, step, 8);
  for (let i = 0; i < 2; i += 1) expect(slots.stay(words(1))).toBe(true);
  // Two slots are skipped, for the two steps that stayed in the first.
  expect(slots.advance(words(4))).toBe(3);
  expect(slots.advance(words(6))).toBe(0);
  expect(slots.advance(words(5))).toBe(1);
});
