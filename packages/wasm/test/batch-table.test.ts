import { adam, sgd, type Update, type Variant } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { wasm } from "../src/index.js";
import { createHeap } from "../src/memory/growable-heap.js";
import { WasmTensor } from "../src/memory/wasm-tensor.js";
import { BatchTable } from "../src/planning/batch-table.js";

const heap = createHeap(2 ** 26);
const context = { backend: wasm(), heap, isShared: false, onRelocate: () => {} };
const tensor = (size: number): WasmTensor => new WasmTensor(context, [size]).allocate();
const variant = adam.rule.variant();

/** Scalars of a group: consecutive numbers from here on. */
function scalarsFrom(first: number, of: Variant = variant): Float64Array {
  return Float64Array.from(of.scalars, (_, i) => first + i);
}

interface Given {
  readonly size: number;
  readonly scalars: Float64Array;
  readonly mask?: readonly number[];
  readonly unselectedRows?: Update["unselectedRows"];
}

function update({ size, scalars, mask, unselectedRows = "keep" }: Given, of = variant): Update {
  return {
    parameter: tensor(size),
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    gradient: tensor(size),
    mask: mask && Uint32Array.from(mask),
    unselectedRows,
    slots: of.slots.map(() => tensor(size)),
    scalars,
  };
}

const addressOf = (one: unknown): number => (one as WasmTensor).address;
const floatsAt = (address: number, count: number): number[] => [
  ...new Float32Array(heap.memory.buffer, address, count),
];

/** The entries as a kernel reads them, each with the scalars that it points at. */
function entries(table: BatchTable, of = variant) {
  return Array.from({ length: table.count }, (_, i) => {
    const words = [
      ...new Int32Array(
        heap.memory.buffer,
        table.address + 4 * i * table.entryWords,
        table.entryWords,
      ),
    ];
    const [size, p, g, ...rest] = words;
    const scalars = floatsAt(rest.pop()!, of.scalars.length);
    return { size, p, g, slots: rest, scalars };
  });
}

function entryOf(one: Update) {
  return {
    size: one.parameter.size,
    p: addressOf(one.parameter),
    g: addressOf(one.gradient),
    slots: one.slots.map(addressOf),
    scalars: [...one.scalars],
  };
}

describe("a batch without masks", () => {
  const [one, other] = [scalarsFrom(1), scalarsFrom(100)];

  test("is an entry per update, with the scalars of its group", () => {
    const table = new BatchTable(heap);
    const updates = [one, other, one, other, one].map((scalars, i) =>
      update({ size: 3 + i, scalars }),
    );
    table.fill(variant, updates, 5);
    expect(entries(table)).toEqual(updates.map(entryOf));
    expect([table.count, table.elements, table.entryWords]).toEqual([5, 3 + 4 + 5 + 6 + 7, 6]);
    // Each group's scalars once, after the entries.
    const pointers = Array.from({ length: 5 }, (_, i) => table.words[6 * i + 5]);
    const first = table.address + 4 * 6 * 5;
    const second = first + 4 * variant.scalars.length;
    expect(pointers).toEqual([first, second, first, second, first]);
  });

  test("has as many entries as are asked for", () => {
    const table = new BatchTable(heap);
    const updates = [update({ size: 2, scalars: one }), update({ size: 9, scalars: other })];
    table.fill(variant, updates, 1);
    expect(entries(table)).toEqual([entryOf(updates[0])]);
    expect(table.elements).toBe(2);
    table.fill(variant, updates, 2);
    expect(entries(table)).toEqual(updates.map(entryOf));
  });

  test("takes current scalars without being filled again", () => {
    const table = new BatchTable(heap);
    const [a, b] = [scalarsFrom(1), scalarsFrom(100)];
    const updates = [a, b, a].map((scalars) => update({ size: 4, scalars }));
    table.fill(variant, updates, 3);
    a.fill(0.5);
    b.fill(0.25);
    table.updateScalars();
    expect(entries(table)).toEqual(updates.map(entryOf));
  });

  test("has another layout version where addresses, numbers or sizes of entries change", () => {
    const table = new BatchTable(heap);
    const version = (updates: readonly Update[], count: number, of = variant): number => {
      table.fill(of, updates, count);
      return table.layoutVersion;
    };
    const three = [5, 6, 7].map((size) => update({ size, scalars: one }));
    const first = version(three, 3);
    expect(version(three, 3)).toBe(first);
    // Other tensors of the same sizes, in the same order.
    expect(
      version(
        [5, 6, 7].map((size) => update({ size, scalars: other })),
        3,
      ),
    ).toBe(first);
    const seen = new Set([first]);
    const isNew = (layout: number): boolean => seen.size !== seen.add(layout).size;
    expect(isNew(version(three, 2))).toBe(true);
    expect(isNew(version(three, 3))).toBe(true);
    expect(
      isNew(
        version(
          [5, 7, 6].map((size) => update({ size, scalars: one })),
          3,
        ),
      ),
    ).toBe(true);
    expect(
      isNew(
        version(
          [8, 7, 6].map((size) => update({ size, scalars: one })),
          3,
        ),
      ),
    ).toBe(true);
    expect(
      isNew(
        version(
          [8, 7, 9].map((size) => update({ size, scalars: one })),
          3,
        ),
      ),
    ).toBe(true);
    const momentum = sgd.rule.variant({ momentum: true });
    const shorter = [8, 7, 9].map((size) =>
      update({ size, scalars: scalarsFrom(1, momentum) }, momentum),
    );
    expect(isNew(version(shorter, 3, momentum))).toBe(true);
    expect(entries(table, momentum)).toEqual(shorter.map(entryOf));
    // Longer than it has ever been: at another address.
    const many = Array.from({ length: 400 }, () => update({ size: 1, scalars: one }));
    expect(isNew(version(many, 400))).toBe(true);
    expect(entries(table)).toEqual(many.map(entryOf));
  });

  test("is that of the same updates and variant, until it is filled or invalidated", () => {
    const table = new BatchTable(heap);
    const updates = [update({ size: 2, scalars: one })];
    expect(table.matches(variant, updates)).toBe(false);
    table.fill(variant, updates, 1);
    expect(table.matches(variant, updates)).toBe(true);
    expect(table.matches(variant, [...updates])).toBe(false);
    expect(table.matches(adam.rule.variant({ nesterov: true }), updates)).toBe(false);
    table.invalidate();
    expect(table.matches(variant, updates)).toBe(false);
    table.fill(variant, updates, 1);
    const masked = [update({ size: 2, scalars: one, mask: [1, 0] })];
    table.fill(variant, masked, 1);
    expect(table.matches(variant, updates)).toBe(false);
    expect(table.matches(variant, masked)).toBe(false);
  });
});

describe("a batch with masks", () => {
  const scalars = scalarsFrom(1);

  /** The entry of some elements of an update. */
  const part = (one: Update, start: number, end: number): ReturnType<typeof entryOf> => {
    const { p, g, slots, scalars: values } = entryOf(one);
    const moved = (address: number): number => address + 4 * start;
    return {
      size: end - start,
      p: moved(p),
      g: moved(g),
      slots: slots.map(moved),
      scalars: values,
    };
  };

  test("is an entry per run of selected rows, and one per update without a mask", () => {
    const table = new BatchTable(heap);
    const masked = update({ size: 10, scalars, mask: [0, 1, 7, 0, 1] });
    const whole = update({ size: 3, scalars: scalarsFrom(50) });
    table.fill(variant, [whole, masked], 1);
    const first = table.layoutVersion;
    const none = update({ size: 4, scalars, mask: [0, 0] });
    table.fill(variant, [whole, masked, none], 3);
    expect(entries(table)).toEqual([entryOf(whole), part(masked, 2, 6), part(masked, 8, 10)]);
    expect(table.elements).toBe(3 + 4 + 2);
    const { layoutVersion } = table;
    table.fill(variant, [whole, masked, none], 3);
    expect(table.layoutVersion).not.toBe(layoutVersion);
    const before = table.layoutVersion;
    // Then again without masks: all is written, in a layout that is none of the last ones.
    table.fill(variant, [whole], 1);
    expect(entries(table)).toEqual([entryOf(whole)]);
    expect([first, layoutVersion, before]).not.toContain(table.layoutVersion);
  });

  test("unselected rows have a gradient of 0; what only decays, another place for its parameter", () => {
    const table = new BatchTable(heap);
    const zero = update({ size: 6, scalars, mask: [1, 0, 0], unselectedRows: "zero" });
    const decay = update({ size: 8, scalars, mask: [0, 1, 0, 0], unselectedRows: "decay" });
    (decay.parameter as WasmTensor).view().set([1, 2, 3, 4, 5, 6, 7, 8]);
    for (let repeat = 0; repeat < 2; repeat += 1) {
      table.fill(variant, [zero, decay], 2);
      const [selected, rest, before, middle, after] = entries(table);
      expect(selected).toEqual(part(zero, 0, 2));
      expect(rest).toEqual({ ...part(zero, 2, 6), g: rest.g });
      expect(floatsAt(rest.g, 4)).toEqual([0, 0, 0, 0]);
      expect(before).toEqual({ ...part(decay, 0, 2), p: before.p, g: before.g });
      expect(middle).toEqual(part(decay, 2, 4));
      expect(after).toEqual({ ...part(decay, 4, 8), p: after.p, g: after.g });
      // Copies of the parameter, in places of their own.
      expect([before, after].map(({ p, size }) => floatsAt(p, size))).toEqual([
        [1, 2],
        [5, 6, 7, 8],
      ]);
      expect(Math.abs(after.p - before.p)).toBeGreaterThanOrEqual(8);
      const own = addressOf(decay.parameter);
      for (const { p } of [before, after]) expect(p < own || p >= own + 32).toBe(true);
      expect([before, after].map(({ g, size }) => floatsAt(g, size))).toEqual([
        [0, 0],
        [0, 0, 0, 0],
      ]);
      // A kernel writes there.
      new Float32Array(heap.memory.buffer, before.p, 2).fill(9);
    }
  });
});
