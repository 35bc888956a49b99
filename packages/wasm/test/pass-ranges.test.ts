// How the values of tensors are divided into ranges, which threads compute in any order.
import type { Update } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { reducingRule } from "../../../testing/reducing-rules.js";
import { createHeap } from "../src/memory/growable-heap.js";
import { planOf, type PassKernel } from "../src/planning/pass-plan.js";
import { PassRanges } from "../src/planning/pass-ranges.js";
import { matricesOf } from "../src/planning/tensor-matrices.js";

const rangeSize = 16384;

interface Range {
  readonly tensor: number;
  readonly kind: string;
  readonly start: number;
  readonly end: number;
  readonly lanes: number;
}

interface Tensor {
  readonly shape: readonly number[];
  readonly mask?: readonly number[];
  readonly unselectedRows?: Update["unselectedRows"];
}

/** The ranges of the first kernel of a rule, as the kernel reads them. */
function rangesOf(update: string, tensors: readonly Tensor[], rest: object = {}): Range[] {
  const heap = createHeap(2 ** 24);
  const { passes } = planOf(reducingRule(`u = ${update}`, rest).variant());
  const kernel = passes.find((pass): pass is PassKernel => pass.kind === "kernel")!;
  const updates = tensors.map(
    ({ shape, mask, unselectedRows = "keep" }) =>
      ({
        parameter: { shape, size: shape.reduce((a, b) => a * b, 1) },
        mask: mask && Uint32Array.from(mask),
        unselectedRows,
      }) as unknown as Update,
  );
  const ranges = new PassRanges(heap, kernel);
  const matrices = updates.map((one) => matricesOf(one, kernel.layout.matrices));
  ranges.collect(updates, matrices, updates.length);
  ranges.write((tensor, kind) => 2 * tensor + (kind === "selected" ? 0 : 1));
  const words = new Int32Array(heap.memory.buffer, ranges.address, 5 * ranges.count);
  expect(ranges.end).toBe(ranges.address + words.byteLength);
  return Array.from({ length: ranges.count }, (_, i) => {
    const [entry, start, end, lanes] = words.subarray(5 * i);
    const kind = entry % 2 === 0 ? "selected" : "unselected";
    return { tensor: Math.floor(entry / 2), kind, start, end, lanes };
  });
}

/** Of one tensor without a mask: `[start, end, lanes]`. */
const of = (update: string, ...shape: number[]): number[][] =>
  rangesOf(update, [{ shape }]).map(({ start, end, lanes }) => [start, end, lanes]);

/** Of a batch of matrices, the last two dimensions. */
const ofBatch = (update: string, ...shape: number[]): number[][] =>
  rangesOf(update, [{ shape }], { matrices: "last" }).map(({ start, end, lanes }) => [
    start,
    end,
    lanes,
  ]);

describe("sums over rows", () => {
  test("whole rows, as many as fit into a range, of all matrices", () => {
    expect(of("g * sumRow(g)", 100, 300)).toEqual([
      [0, 54, 16],
      [54, 100, 16],
    ]);
    expect(of("g * sumRow(g)", 3, 50, 20)).toEqual([[0, 3, 16]]);
    expect(of("g * sumRow(g)", 2, rangeSize + 1)).toEqual([
      [0, 1, 16],
      [1, 2, 16],
    ]);
  });
});

describe("sums over columns", () => {
  test("whole matrices, as many as fit into a range", () => {
    expect(of("g * sumColumn(g)", 100, 100)).toEqual([[0, 100, 16]]);
    expect(of("g * sumColumn(g)", 128, 128)).toEqual([[0, 128, 16]]);
  });

  test("of a few long rows, each row", () => {
    expect(of("g * sumColumn(g)", 3, 40_000)).toEqual([
      [0, 3, 1],
      [1, 3, 1],
      [2, 3, 1],
    ]);
    // Pairs of rows, as single ones would be less than a range.
    expect(of("g * sumColumn(g)", 5, rangeSize - 1)).toEqual([
      [0, 5, 2],
      [2, 5, 2],
      [4, 5, 2],
    ]);
    expect(of("g * sumColumn(g)", 1, 40_000)).toEqual([[0, 1, 1]]);
  });

  test("of a larger matrix, some of the lanes of each block of rows", () => {
    // 300 · 1000 values: sixteenths of 18,750 values each, as halves of them would be less than a range.
    expect(of("g * sumColumn(g)", 300, 1000)).toEqual(
      Array.from({ length: 16 }, (_, lane) => [lane, 300, 1]),
    );
    // 200 · 100 values are less than two ranges.
    expect(of("g * sumColumn(g)", 200, 100)).toEqual([[0, 200, 16]]);
    // Two blocks of rows: the second has one row, thus one lane.
    const last = of("g * sumColumn(g)", 4097, 16).at(-1);
    expect(last).toEqual([4096, 4097, 16]);
  });

  test("of several larger matrices, each in ranges of its own", () => {
    const ranges = ofBatch("g * sumColumn(g)", 2, 300, 1000);
    expect(ranges).toEqual([
      ...Array.from({ length: 16 }, (_, lane) => [lane, 300, 1]),
      ...Array.from({ length: 16 }, (_, lane) => [300 + lane, 600, 1]),
    ]);
  });

  test("of several matrices, as many whole ones as fit into a range", () => {
    // Two of 9,000 values are more than a range has.
    expect(ofBatch("g * sumColumn(g)", 3, 90, 100)).toEqual([
      [0, 90, 16],
      [90, 180, 16],
      [180, 270, 16],
    ]);
  });

  test("of a larger matrix, no lanes beyond its last row, and blocks to their ends", () => {
    expect(of("g * sumColumn(g)", 3, 400_000)).toEqual([
      [0, 3, 1],
      [1, 3, 1],
      [2, 3, 1],
    ]);
    // A block has 4,096 rows.
    expect(of("g * sumColumn(g)", 5000, 16).map(([start, end]) => [start, end])).toContainEqual([
      0, 4096,
    ]);
  });

  test("rows of more values than a range has are one lane each", () => {
    expect(of("g * sumColumn(g)", 16, 40_000)).toEqual(
      Array.from({ length: 16 }, (_, lane) => [lane, 16, 1]),
    );
  });
});

test("other passes: ranges of values, wherever rows begin", () => {
  expect(of("g * sumTensor(g)", 3, 6000)).toEqual([
    [0, rangeSize, 16],
    [rangeSize, 18_000, 16],
  ]);
});

test("with a mask: the rows that it treats alike", () => {
  const shape = [5, 4];
  const mask = [1, 2, 0, 0, 3];
  const plain = { shape: [2, 2] };
  const selected = [
    { tensor: 0, kind: "selected", start: 0, end: 2, lanes: 16 },
    { tensor: 0, kind: "selected", start: 4, end: 5, lanes: 16 },
    { tensor: 1, kind: "selected", start: 0, end: 2, lanes: 16 },
  ];
  expect(rangesOf("g * sumRow(g)", [{ shape, mask }, plain])).toEqual(selected);
  const decaying = rangesOf("g * sumRow(g)", [{ shape, mask, unselectedRows: "decay" }, plain]);
  expect(decaying).toEqual([
    selected[0],
    { tensor: 0, kind: "unselected", start: 2, end: 4, lanes: 16 },
    ...selected.slice(1),
  ]);
});
