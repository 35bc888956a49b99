// Where the shaders of rows read and write: their own expressions are executed with the tables of planned dispatches.
import { compileFunction } from "node:vm";
import type { BindingLimits, Dispatch } from "../src/planning/dispatch/dispatch.js";
import { activationCode } from "../src/shaders/activation-functions.js";
import { groupLines } from "../src/shaders/copy-lines.js";
import type { RowKernelLayout } from "../src/shaders/kernel-layout.js";
import type { KernelProgram } from "../src/shaders/kernel-program.js";
import { rowAccessOf } from "../src/shaders/row-access.js";
import { copyName, rowBindingOf, rowBindingsOf } from "../src/shaders/row-bindings.js";
import { emitRowKernel } from "../src/shaders/row-kernel.js";
import { isGrouped } from "../src/shaders/row-parameters.js";
import { isInGroupLoop } from "../src/shaders/row-position.js";

/** The first scalar of tensors whose gradients are cleared. */
export const firstClearing = 100;

/** A buffer that is filled from its start. */
export class Arena {
  readonly words: number[] = [];
  readonly label: string;

  constructor(label: string) {
    this.label = label;
  }

  get size(): number {
    return this.words.length * 4;
  }
}

/** Rows of values in a buffer, in bytes. */
export interface Rows {
  readonly arena: Arena;
  readonly start: number;
  readonly stride: number;
  readonly unit: number;
  readonly columns: number;
}

/** The place of value `k`. */
export function placeOf({ arena, start, stride, unit, columns }: Rows, k: number): string {
  return `${arena.label} ${start + Math.floor(k / columns) * stride + (k % columns) * unit}`;
}

/** What happens to one value: places, and what is done there. */
export type Visits = Map<string, string[]>;

export function note(visits: Visits, place: string, facts: readonly unknown[]): void {
  visits.set(place, [...(visits.get(place) ?? []), facts.join(", ")].sort());
}

/** Executes the shader's own text for positions, with integers as BigInt, whose division is that of u32. */
export function visitsOf(
  kernel: KernelProgram,
  dispatches: readonly Dispatch<RowKernelLayout>[],
  { alignment, maxBindingSize }: BindingLimits,
): Visits {
  const visits: Visits = new Map();
  for (const { layout, bindings, table, tiles, scalarSets } of dispatches) {
    const access = rowAccessOf(kernel, layout);
    const names = [
      ...emitRowKernel(kernel, layout).matchAll(/let (\w+) = table\[entry \+ (\d+)u\]/g),
    ];
    const declared = rowBindingsOf(kernel, layout).map(({ name }) => name);
    const js = (wgsl: string): string =>
      wgsl
        .replaceAll(/\b(\d+)u\b/g, "$1n")
        .replaceAll(/= (\w+ - \w+);/g, "= BigInt.asUintN(32, $1);")
        .replaceAll("bitcast<f32>", "")
        .replaceAll("atomicLoad(&", "(")
        // A gradient is the text that says where it is, and a sum of them the texts together.
        .replaceAll("0.0", '""');
    const loads = kernel.arrays.map((array) => `() => ${js(access.load(array))}`);
    const body = [
      ...(isInGroupLoop(layout)
        ? ["const row = value_index / columns, column = value_index % columns;"]
        : []),
      js(access.position.join("\n")),
      `visit(row, column, [${loads.join(", ")}]);`,
    ];
    const lines = isGrouped(layout)
      ? [
          ...groupLines.map(js),
          "for (let value_index = first; value_index < last; value_index++) {",
        ]
      : ["for (const value_index of [i]) {"];
    const parameters = [...names.map(([, name]) => name), ...declared, "i", "env"];
    const run = compileFunction(
      [
        "const { gradient, clear_gradient, select, min, chain_rule, row_norm, along, visit } = env;",
        ...lines,
        ...body,
        "}",
      ].join("\n"),
      parameters,
    ) as (...all: readonly unknown[]) => void;
    if (bindings.some(({ offset, size }) => offset % alignment > 0 || size > maxBindingSize))
      throw new Error("a range cannot be bound");
    let last = "";
    let cleared = "";
    /** The place of a range of a binding, which must be within it. */
    const inBinding = (name: string, byte: number, length: number): string => {
      const { buffer, offset, size } = bindings[declared.indexOf(name)];
      const end = Math.ceil((byte + length) / 4) * 4;
      if (byte < 0 || end > size) throw new Error(`${name}: byte ${byte} of ${size}`);
      return `${(buffer as unknown as Arena).label} ${offset + byte}`;
    };
    const memory = declared.map((name, b) => {
      const { words } = bindings[b].buffer as unknown as Arena;
      return new Proxy(
        {},
        {
          get: (_, key) => {
            last = inBinding(name, Number(key) * 4, 4);
            return BigInt(words[bindings[b].offset / 4 + Number(key)]);
          },
        },
      );
    });
    for (let tile = 0; tile < tiles; tile += 1) {
      const entry = table[1 + tile];
      const [firstTile, count] = table.subarray(entry);
      const values = names.map(([, , index]) => BigInt(table[entry + Number(index)]));
      const valueOf = (name: string): number =>
        Number(values[names.findIndex(([, one]) => one === name)] ?? -1);
      const env = {
        select: (no: unknown, yes: unknown, isYes: boolean) => (isYes ? yes : no),
        gradient: (index: bigint, unit: bigint, type = 0n, scale = 0x3f80_0000n) => {
          const { name } = rowBindingOf(kernel, layout, "g");
          const place = inBinding(name, Number(index) * 2, Number(unit) * 2);
          return `${place} × ${unit} ${type} ${type === 0n ? 1 : scale};`;
        },
        min: (a: bigint, b: bigint) => (a < b ? a : b),
        clear_gradient: (index: bigint, unit: bigint) => {
          const { name, type } = rowBindingOf(kernel, layout, "g");
          // The other half of the word may be another row's.
          if (unit === 1n && type !== "atomic<u32>") throw new Error(`${name} is ${type}`);
          cleared = `clears ${inBinding(name, Number(index) * 2, Number(unit) * 2)}`;
        },
        chain_rule: (gradient: string) => gradient,
        row_norm: 0,
        along: 0,
        visit: (row: bigint, column: bigint, all: readonly (() => unknown)[]) => {
          const places = kernel.arrays.map(({ name }, k): string => {
            const value = all[k]() as string;
            return name === "g" ? value : last;
          });
          const copies = Array.from({ length: layout.copies }, (_, c) => {
            const activation = valueOf(`copy${c}_activation`);
            const [start, stride, unit] = ["start", "stride", "unit"].map((name) =>
              valueOf(`copy${c}_${name}`),
            );
            const at = start + Number(row) * stride + Number(column) * unit;
            const { name } = rowBindingOf(kernel, layout, copyName(c));
            return activation === 0 ? [] : [`${inBinding(name, 2 * at, 2 * unit)} ${activation}`];
          });
          const hasGradient = layout.activates && kernel.arrays.some(({ name }) => name === "g");
          const chain = hasGradient ? valueOf("gradient_activation") : activationCode.identity;
          const set = scalarSets[table[entry + 2]][0];
          const activations = [
            chain,
            ...copies.flat().map((copy) => Number(copy.split(" ").at(-1))),
          ];
          const isWhole = valueOf("group_length") === valueOf("columns");
          if (activations.includes(activationCode.normalize) && !isWhole)
            throw new Error("a part of a row is normalized");
          // Gradients of other sets may be cleared as well: the kernel has them in memory of its own.
          const own = set < firstClearing ? "" : cleared;
          note(visits, places[0], [...places, chain, ...copies.flat(), `set ${set}`, own]);
          cleared = "";
        },
      };
      const end = Math.min(count, (tile - firstTile + 1) * 256);
      for (let i = (tile - firstTile) * 256; i < end; i += 1) {
        run(...values, ...memory, BigInt(i), env);
      }
    }
  }
  return visits;
}
