import { describe, expect, test } from "vitest";
import { maxNarrowCount, planDenseDispatches } from "../src/planning/dense/dense-dispatches.js";
import type { DenseItem } from "../src/planning/dense/dense-item.js";
import type { BufferView } from "../src/memory/buffer-views.js";
import { cases, seed } from "../../../testing/cases.js";
import { Random } from "./random.js";

const limits = { maxBindingSize: 2 ** 27, alignment: 256 };
const scalars = new Float64Array(1);

function buffer(): GPUBuffer {
  return {} as GPUBuffer;
}

function itemOf(views: readonly BufferView[], count: number, ownScalars = scalars): DenseItem {
  return { views, count, scalars: ownScalars, isUpdate: true, scratchStarts: [] };
}

/** The positions that the dispatches update, by buffer; a position that is updated twice is there twice. */
function updatedPositions(
  items: readonly DenseItem[],
  tightLimits = limits,
  narrowCount = maxNarrowCount,
): Map<GPUBuffer, number[]> {
  const positions = new Map<GPUBuffer, number[]>();
  const dispatches = planDenseDispatches(items, tightLimits, narrowCount);
  for (const { layout, bindings, table, tiles } of dispatches) {
    expect(table[0]).toBe(tiles);
    for (const { offset, size } of bindings) {
      expect(offset % tightLimits.alignment).toBe(0);
      expect(size).toBeLessThanOrEqual(tightLimits.maxBindingSize);
    }
    const arrays = items[0].views.length;
    for (let tile = 0; tile < tiles; tile += 1) {
      const entry = table[1 + tile];
      const [firstTile, count] = table.subarray(entry, entry + 2);
      const end = Math.min(count, (tile - firstTile + 1) * 256);
      for (let i = (tile - firstTile) * 256; i < end; i += 1) {
        for (let k = 0; k < arrays; k += 1) {
          const binding = layout.gradients === "shared-binding" && k > 0 ? k - 1 : k;
          const { buffer: bound, offset, size } = bindings[binding];
          const start = (table[entry + 3 + k] + i) * layout.width;
          // A bare comparison: `expect` for each value would take most of the time.
          if ((start + layout.width) * 4 > size) throw new Error(`${start} is out of bounds`);
          const list = positions.get(bound) ?? [];
          positions.set(bound, list);
          for (let j = 0; j < layout.width; j += 1) list.push(offset / 4 + start + j);
        }
      }
    }
  }
  return positions;
}

function expectedPositions(items: readonly DenseItem[]): Map<GPUBuffer, number[]> {
  const positions = new Map<GPUBuffer, number[]>();
  for (const { views, count } of items) {
    for (const { buffer: one, start } of views) {
      const list = positions.get(one) ?? [];
      positions.set(one, list);
      for (let i = 0; i < count; i += 1) list.push(start + i);
    }
  }
  return positions;
}

/**
 * Whether each value of each array is updated once, and nothing else is: with one dispatch for ranges of any alignment, and
 * with two.
 */
function isExact(items: readonly DenseItem[], tightLimits = limits): boolean {
  return [0, maxNarrowCount].every((count) => isExactWith(items, tightLimits, count));
}

function isExactWith(
  items: readonly DenseItem[],
  tightLimits: typeof limits,
  narrowCount: number,
): boolean {
  const updated = updatedPositions(items, tightLimits, narrowCount);
  const sorted = (list: readonly number[] = []): string =>
    [...list].sort((a, b) => a - b).join(" ");
  return [...expectedPositions(items)].every(
    ([one, list]) => sorted(updated.get(one)) === sorted(list),
  );
}

describe("planDenseDispatches", () => {
  test("adjacent tensors in the same buffers are one segment of one dispatch", () => {
    const [p, g, m] = [buffer(), buffer(), buffer()];
    const items = Array.from({ length: 1000 }, (_, i) =>
      itemOf(
        [p, g, m].map((one) => ({ buffer: one, start: i * 64 })),
        64,
      ),
    );
    const [only, ...more] = planDenseDispatches(items, limits);
    expect(more).toEqual([]);
    expect(only.tiles).toBe(63);
    expect(only.table.length).toBe(1 + 63 + 6);
  });

  test("a length that is not a multiple of four: one dispatch, and two for many values", () => {
    const views = [buffer(), buffer()].map((one) => ({ buffer: one, start: 0 }));
    const countsOf = (count: number): unknown =>
      planDenseDispatches([itemOf(views, count)], limits).map(({ layout, table, tiles }) => [
        layout.width,
        table[1 + tiles + 1] * layout.width,
      ]);
    expect(countsOf(8)).toEqual([[4, 8]]);
    expect(countsOf(10)).toEqual([[1, 10]]);
    expect(countsOf(2 ** 22 - 1)).toEqual([[1, 2 ** 22 - 1]]);
    expect(countsOf(2 ** 22 + 1)).toEqual([
      [1, 1],
      [4, 2 ** 22],
    ]);
    // Ranges in the same buffers are one dispatch, too; others keep their own.
    const other = [buffer(), buffer()].map((one) => ({ buffer: one, start: 0 }));
    const after = views.map((view) => ({ ...view, start: 12 }));
    const items = [itemOf(views, 10), itemOf(after, 8), itemOf(other, 8)];
    expect(planDenseDispatches(items, limits).map(({ layout }) => layout.width)).toEqual([1, 4]);
    expect(isExact(items)).toBe(true);
    expect(isExact([itemOf(views, 10)])).toBe(true);
    expect(isExact([itemOf(views, 3)])).toBe(true);
    expect(isExact([itemOf(views, 4)])).toBe(true);
  });

  test("gradients in the parameters' buffer share its binding if both fit into it", () => {
    const one = buffer();
    const gradientsOf = (item: DenseItem, tightLimits = limits): string[] =>
      planDenseDispatches([item], tightLimits).map(({ layout }) => layout.gradients);
    const itemAt = (p: number, g: number, count: number): DenseItem =>
      itemOf(
        [
          { buffer: one, start: p },
          { buffer: one, start: g },
        ],
        count,
      );
    const near = itemAt(3, 20, 17);
    expect(gradientsOf(near)).toEqual(["shared-binding"]);
    expect(isExact([near])).toBe(true);
    const far = itemAt(0, 4096, 1024);
    const tight = { maxBindingSize: 8192, alignment: 256 };
    expect(gradientsOf(far, tight)).toEqual(["separate-binding"]);
    expect(isExact([far], tight)).toBe(true);
    // Both together exceed a binding, and separate bindings would overlap because of the alignment.
    const adjacent = itemAt(1, 1501, 1500);
    expect(isExact([adjacent], tight)).toBe(true);
  });

  test.each([-1, 0, 1])("items of the size of a binding %i values", (more) => {
    const tight = { maxBindingSize: 4096, alignment: 256 };
    for (const times of [1, 4]) {
      const views = [buffer(), buffer(), buffer()].map((one, i) => ({ buffer: one, start: i }));
      expect(isExact([itemOf(views, 1024 * times + more)], tight)).toBe(true);
    }
  });

  test("more scalar sets than one dispatch can have", () => {
    const [p, g] = [buffer(), buffer()];
    const items = Array.from({ length: 40 }, (_, i) =>
      itemOf(
        [p, g].map((one) => ({ buffer: one, start: i * 64 })),
        64,
        new Float64Array(1),
      ),
    );
    expect(planDenseDispatches(items, limits).map(({ scalarSets }) => scalarSets.length)).toEqual([
      16, 16, 8,
    ]);
    expect(isExact(items)).toBe(true);
  });

  test(`random items: each value is updated once (seed ${seed})`, () => {
    const random = new Random(seed);
    for (let round = 0; round < cases(1000, 100); round += 1) {
      const buffers = [buffer(), buffer(), buffer()];
      const isShared = random.below(2) === 0;
      let next = 0;
      const items = Array.from({ length: 1 + random.below(6) }, () => {
        const count = 1 + random.below(300);
        const starts = isShared ? [next, next + count + random.below(9), next] : [next, next, next];
        next += count * (isShared ? 2 : 1) + 9 + random.below(80);
        const own = isShared ? [buffers[0], buffers[0], buffers[2]] : buffers;
        return itemOf(
          starts.map((start, k) => ({ buffer: own[k], start })),
          count,
        );
      });
      const maxBindingSize = 1024 + 256 * random.below(8);
      expect(isExact(items, { maxBindingSize, alignment: 256 })).toBe(true);
    }
  });

  test("bindings of gradients and parameters in one buffer do not overlap, aligned ones neither", () => {
    const one = buffer();
    const item = (p: number, g: number): DenseItem =>
      itemOf(
        [
          { buffer: one, start: p },
          { buffer: one, start: g },
        ],
        120,
      );
    // The gradient of the first begins where the parameter of the second ends: its binding begins before that.
    const items = [item(0, 1020), item(900, 1840)];
    const tight = { maxBindingSize: 4096, alignment: 256 };
    for (const { bindings } of planDenseDispatches(items, tight)) {
      const [p, g] = bindings;
      expect(p.offset + p.size <= g.offset || g.offset + g.size <= p.offset).toBe(true);
    }
    expect(isExact(items, tight)).toBe(true);
  });

  test.each([3000, 2998])("a reduction over %i values in several bindings", (size) => {
    const [p, g, norm] = [buffer(), buffer(), buffer()];
    const first = 640;
    const padded = Math.ceil(size / 64) * 64;
    const tight = { maxBindingSize: 4096, alignment: 256 };
    let tileCount = 0;
    const item: DenseItem = {
      views: [
        { buffer: p, start: first },
        { buffer: g, start: 0 },
        { buffer: norm, start: 7, isUniform: true },
      ],
      count: padded,
      scalars,
      isUpdate: false,
      scratchStarts: [5],
      reduction: {
        size,
        startsOf: (tiles) => {
          tileCount = tiles;
          return [100];
        },
      },
    };
    const results: number[] = [];
    let counted = 0;
    for (const { layout, bindings, table, tiles } of planDenseDispatches([item], tight)) {
      for (let tile = 0; tile < tiles; tile += 1) {
        const entry = table[1 + tile];
        const [firstTile, count, , ...words] = table.subarray(entry, entry + 9);
        const [start, , normStart, scratchStart, ...rest] = words;
        // One value for all elements stays where it is.
        expect(bindings[2].offset / 4 + normStart).toBe(7);
        expect(scratchStart).toBe(5);
        const from = bindings[0].offset / 4 + start * layout.width - first;
        // Kernels of four values at a time are told how many are not padding, from the start of the range on.
        const left = Math.max(0, size - from);
        const [values, reducedStart] = layout.width === 4 ? rest : [left, rest[0]];
        expect(values).toBe(left);
        if (tile === firstTile) counted += Math.min(values, count * layout.width);
        results.push(reducedStart + tile - firstTile);
      }
    }
    expect(counted).toBe(size);
    expect(results.sort((a, b) => a - b)).toEqual(
      Array.from({ length: tileCount }, (_, k) => 100 + k),
    );
  });
});
