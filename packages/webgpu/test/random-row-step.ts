import type { Extent, UnselectedRows, Update, Variant } from "@gradstep/core";
import { slotShape } from "@gradstep/core/internal";
import type { GpuTensor } from "../src/memory/gpu-tensor.js";
import { stepTargetOf } from "../src/planning/dispatch/step-target.js";
import type { ReducedRowItem } from "../src/planning/rows/row-dispatches.js";
import { rowItemOf, wordView } from "../src/planning/rows/row-item.js";
import { activationCode } from "../src/shaders/activation-functions.js";
import {
  emptyKernel,
  type KernelArray,
  type KernelProgram,
} from "../src/shaders/kernel-program.js";
import type { Random } from "./random.js";
import { Arena, firstClearing, note, placeOf, type Rows, type Visits } from "./row-shader.js";

const noEntry = 0xffff_ffff;

const array = (name: string, extent: Extent, isWritten: boolean): KernelArray => ({
  name,
  extent,
  isWritten,
  isScratch: false,
});

/** An update of elements, and the updates of the slots per row and column. */
export const kernels: readonly KernelProgram[] = [
  [
    array("p", "element", true),
    array("g", "element", false),
    array("m", "element", true),
    array("r", "row", false),
    array("c", "column", false),
  ],
  // Lists of rows are for rules of elements alone.
  [array("p", "element", true), array("g", "element", false), array("m", "element", true)],
  [array("r", "row", true)],
  [array("c", "column", true)],
].map((arrays) => ({
  ...emptyKernel("test", arrays),
  over: arrays[0].extent as KernelProgram["over"],
}));

const slots = [
  { name: "m", extent: "element" },
  { name: "r", extent: "row" },
  { name: "c", extent: "column" },
] as const;

interface RandomStep {
  readonly items: readonly ReducedRowItem[];
  readonly expected: Visits;
}

/** Random tensors, and what their update visits, found from their shapes alone. */
export function randomStep(random: Random, kernel: KernelProgram, isShared: boolean): RandomStep {
  const oneOf = <T>(...all: readonly T[]): T => all[random.below(all.length)];
  const shared = new Arena("shared");
  const arenas = new Map<string, Arena>();
  const arenaOf = (name: string): Arena => {
    const arena =
      isShared && !/mask|list/.test(name) ? shared : (arenas.get(name) ?? new Arena(name));
    arenas.set(name, arena);
    return arena;
  };
  const place = (
    name: string,
    rows: number,
    columns: number,
    unit = 4,
    gap = oneOf(0, 0, 1, 3),
  ): Rows => {
    const arena = arenaOf(name);
    const start = arena.size + 4 * random.below(4) + (unit === 2 ? 2 * random.below(2) : 0);
    const stride = (columns + gap) * unit;
    const end = start + (rows - 1) * stride + columns * unit;
    while (arena.size < end) arena.words.push(random.below(2 ** 32));
    return { arena, start, stride, unit, columns };
  };
  const tensorOf = (rows: Rows, shape: readonly number[], dtype = "f32", scale = 1): unknown => {
    const { arena, start, stride, unit, columns } = rows;
    const [length = 1] = shape;
    const isPlain = dtype === "f32" && stride === columns * 4;
    const byteLength = (length - 1) * stride + columns * unit;
    return {
      memory: { buffer: arena, byteOffset: start, byteLength },
      shape,
      size: length * columns,
      rows: length,
      columns,
      rowStride: stride / unit,
      layout: isPlain ? undefined : { dtype, rowStride: stride / unit, scale },
      isPadded: false,
    };
  };
  const matrices = oneOf("first", "last");
  const variant = { slots, matrices } as unknown as Variant;
  const useLists = kernel === kernels[1] && random.below(3) > 0;
  const canClear = !useLists && random.below(3) === 0;
  const useMasks = random.below(2) === 0;
  const expected: Visits = new Map();
  const items = Array.from({ length: 1 + random.below(4) }, () => {
    const shape = [
      1 + random.below(40),
      ...(random.below(3) > 0 ? [1 + random.below(3)] : []),
      1 + random.below(3),
    ];
    const [rows] = shape;
    const size = shape.reduce((product, length) => product * length, 1);
    const columns = size / rows;
    const isBatch = matrices === "last" && shape.length > 2;
    const [R, C] = isBatch ? shape.slice(-2) : [rows, columns];
    const p = place("p", rows, columns);
    const places = slots.map(({ name, extent }) => {
      const own = slotShape(extent, shape, matrices);
      const [length = 1] = own;
      const row = own.slice(1).reduce((product, one) => product * one, 1);
      return { own, rows: place(oneOf(name, `other ${name}`), length, row) };
    });
    const hasList = useLists && random.below(3) > 0;
    const gradientRows = hasList ? 1 + random.below(20) : rows;
    const [dtype, unit] = oneOf<[string, number]>(
      ["f32", 4],
      ["f32", 4],
      ["f16", 2],
      ["i32", 4],
      ["u32", 4],
    );
    const scale = dtype === "i32" || dtype === "u32" ? oneOf(0.5, 2) : 1;
    const g = place("g", gradientRows, columns, unit);
    const scaleBits = new Uint32Array(Float32Array.of(scale).buffer)[0];
    const gradientOf = (row: number, column: number): string =>
      `${placeOf(g, row * columns + column)} × ${unit / 2} ${["f32", "i32", "u32"].indexOf(dtype === "f16" ? "f32" : dtype)} ${scale === 1 ? 1 : scaleBits};`;
    const unselectedRows = oneOf<UnselectedRows>("keep", "decay", "zero");
    const hasMask = useMasks && random.below(3) > 0;
    const isLimit = hasMask && random.below(3) === 0;
    const mask = place("mask", rows, 1, 4);
    for (let row = 0; row < rows; row += 1)
      mask.arena.words[(mask.start + row * mask.stride) / 4] = isLimit
        ? random.below(rows + 2)
        : random.below(2);
    const isSelected = (row: number): boolean =>
      !hasMask ||
      mask.arena.words[(mask.start + (isLimit ? 0 : row * mask.stride)) / 4] > (isLimit ? row : 0);
    // Entries of different rows, and further entries for some of them.
    const listed = Array.from({ length: rows }, (_, row) => row)
      .filter(() => random.below(2) === 0)
      .slice(0, 12);
    const entries: number[][] = listed.map((row) => [row, random.below(gradientRows), noEntry]);
    for (let k = 0; k < listed.length; k += 3)
      entries[k][2] = entries.push([noEntry, random.below(gradientRows), noEntry]) - 1;
    entries.push([noEntry, noEntry, noEntry]);
    const needsFirst = hasMask || unselectedRows === "zero";
    const first = Array.from({ length: rows }, (_, row) =>
      listed.includes(row) ? listed.indexOf(row) : noEntry,
    );
    const list = new Arena(`list ${random.below(2 ** 32)}`);
    list.words.push(...entries.flat(), ...(needsFirst ? first : []));
    const activation = useLists ? undefined : oneOf(undefined, undefined, "exp", "normalize");
    const copies = Array.from(
      { length: kernel.over === "element" && !useLists ? random.below(3) : 0 },
      (_, c) => {
        const [type, size2] = oneOf<[string, number]>(["f16", 2], ["f32", 4]);
        const kind = oneOf<keyof typeof activationCode>("exp", "normalize", "affine");
        const rowsOf = place(`copy${c}`, rows, columns, size2);
        return { rowsOf, kind, target: tensorOf(rowsOf, shape, type), unit: size2 };
      },
    );
    const clears = canClear && random.below(2) === 0;
    const scalars = Float64Array.of((clears ? firstClearing : 1) + random.below(3));
    const lookup = new Map<string, Rows>([
      ["p", p],
      ...slots.map(({ name }, k) => [name, places[k].rows] as const),
    ]);
    const visitValue = (
      index: number,
      element: number,
      gradients: readonly string[],
      withCopies: boolean,
    ): void => {
      const at = (name: string, extent: Extent): string => {
        if (extent === kernel.over) return placeOf(lookup.get(name)!, index);
        const k =
          extent === "row"
            ? Math.floor(element / C)
            : isBatch
              ? Math.floor(element / (R * C)) * C + (element % C)
              : element % C;
        return placeOf(lookup.get(name)!, k);
      };
      const reads = kernel.arrays.some(({ name }) => name === "g");
      const all = kernel.arrays.map(({ name, extent }) =>
        name === "g" ? gradients.join("") : at(name, extent),
      );
      note(expected, all[0], [
        ...all,
        activationCode[reads ? (activation ?? "identity") : "identity"],
        ...(withCopies ? copies : []).map(
          ({ rowsOf, kind }) => `${placeOf(rowsOf, index)} ${activationCode[kind]}`,
        ),
        `set ${scalars[0]}`,
        clears && reads ? `clears ${gradientOf(0, index).split(" ×")[0]}` : "",
      ]);
    };
    const chainOf = (entry: number, column: number): string[] => {
      if (entry === noEntry) return [];
      const [, row, next] = entries[entry];
      return [gradientOf(row, column), ...chainOf(next, column)];
    };
    const count = { element: size, row: size / C, column: isBatch ? rows * C : C }[
      kernel.over as "element"
    ];
    const isByRow = kernel.over !== "column" || isBatch;
    const perRow = isByRow ? count / rows : count;
    for (let index = 0; index < count; index += 1) {
      const row = isByRow ? Math.floor(index / perRow) : 0;
      if (isByRow && !isSelected(row) && unselectedRows === "keep") continue;
      if (hasList && !needsFirst && !listed.includes(row)) continue;
      const column = index % perRow;
      const own = hasList ? chainOf(first[row], column) : [gradientOf(row, column)];
      const gradients = isByRow && !isSelected(row) ? [] : own;
      visitValue(index, index, gradients, true);
    }
    const update = {
      parameter: tensorOf(p, shape),
      // Without gaps, the shape does not matter.
      gradient:
        !hasList && g.stride === columns * unit
          ? tensorOf({ ...g, columns: 1, stride: unit }, [size], dtype, scale)
          : tensorOf(g, [gradientRows, ...shape.slice(1)], dtype, scale),
      slots: places.map(({ own, rows: one }) => tensorOf(one, own)),
      copies: copies.map(({ target, kind }) => ({
        target,
        activation: { kind, scale: 1, offset: 0 },
      })),
      scalars,
      unselectedRows,
      gradientActivation: activation && { kind: activation, scale: 1, offset: 0 },
    } as unknown as Update;
    const listView = {
      buffer: list as unknown as GPUBuffer,
      start: 0,
      length: entries.length,
      firstEntries: needsFirst ? 3 * entries.length : undefined,
      scalarStarts: undefined,
    };
    const flags = rows % 2 === 0 && mask.stride === 4 ? [rows / 2, 2] : [rows];
    const maskView = isLimit
      ? { buffer: mask.arena as unknown as GPUBuffer, start: mask.start / 4, stride: 0 }
      : wordView(
          tensorOf(
            { ...mask, columns: flags[1] ?? 1, stride: (flags[1] ?? 1) * mask.stride },
            flags,
            "u32",
          ) as GpuTensor,
        );
    const target = stepTargetOf(
      variant,
      update,
      hasMask ? maskView : undefined,
      hasList ? listView : undefined,
    );
    return { item: rowItemOf(kernel, target, { clears }), startsOf: () => [] };
  });
  return { items, expected };
}
