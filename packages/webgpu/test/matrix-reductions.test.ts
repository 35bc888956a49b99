// Where the tiles of matrices that are reduced put their results: the shader's own expressions, with planned tables.
import type { Update, Variant } from "@gradstep/core";
import { compileFunction } from "node:vm";
import { expect, test } from "vitest";
import { stepTargetOf } from "../src/planning/dispatch/step-target.js";
import { planMatrixReductions } from "../src/planning/matrix/matrix-reduction.js";
import { rowItemOf } from "../src/planning/rows/row-item.js";
import { emptyKernel, type KernelProgram } from "../src/shaders/kernel-program.js";
import { emitMatrixReductionKernel } from "../src/shaders/matrix-reduction-kernel.js";

const array = { name: "p", extent: "element", isWritten: false, isScratch: false } as const;

/** A program that reduces the value 0. */
function programOf(reductions: readonly { readonly name: string }[]): KernelProgram["program"] {
  const node = {
    op: "number",
    operands: [],
    value: 0,
    name: "",
    extent: "tensor",
    varies: false,
    uses: 1,
  };
  const outputs = reductions.map(({ name }) => ({ name, node: 0 }));
  return {
    nodes: [node],
    inputs: [],
    outputs,
    source: "",
    fingerprint: "",
  } as unknown as KernelProgram["program"];
}

/** The text of a kernel, in which reductions have no values: only their places matter. */
function textOf(line: RegExp, code: string): readonly string[] {
  return [...code.matchAll(line)].map(([, text]) => text.replaceAll(/\b(\d+)u\b/g, "$1n"));
}

test.each<readonly [readonly number[], "first" | "last", readonly ("row" | "column")[], number]>([
  [[3, 40, 70], "last", ["row", "column"], 2 ** 20],
  [[3, 40, 70], "last", ["row", "column"], 2 ** 14],
  [[60, 70], "first", ["row", "column"], 4096],
  [[37, 30], "first", ["column", "row"], 4096],
  [[2, 3, 1300], "last", ["row"], 2 ** 20],
  [[2, 1300, 3], "last", ["column"], 2 ** 20],
])("%o, %s, per %o, bindings of %i bytes", (shape, matrices, overs, maxBindingSize) => {
  const size = shape.reduce((product, length) => product * length, 1);
  const [rows, columns] = shape.slice(-2);
  const buffer = { label: "p" } as unknown as GPUBuffer;
  const parameter = {
    memory: { buffer, byteOffset: 0, byteLength: size * 4 },
    shape,
    size,
    columns: size / shape[0],
    rowStride: size / shape[0],
  };
  const reductions = overs.map((over) => ({ name: over, op: "sum" as const, over }));
  const kernel = { ...emptyKernel("test", [array]), reductions };
  const update = {
    parameter,
    gradient: parameter,
    slots: [],
    copies: [],
    scalars: new Float64Array(1),
  };
  const target = stepTargetOf(
    { slots: [], matrices } as unknown as Variant,
    { ...update, unselectedRows: "keep" } as unknown as Update,
    undefined,
    undefined,
  );
  const taken = new Map<
    string,
    { readonly start: number; readonly results: number; readonly tiles: number }
  >();
  let end = 0;
  const dispatches = planMatrixReductions(
    [
      {
        item: rowItemOf(kernel, target),
        startOf: ({ name }, results, tiles) => {
          const start = end;
          taken.set(name, { start, results, tiles });
          end += results * tiles;
          return start;
        },
      },
    ],
    { maxBindingSize, alignment: 256 },
  );
  // The elements of which each word of the scratch buffer is a sum.
  const sums = Array.from({ length: end }, (): number[] => []);
  const writers = Array.from({ length: end }, () => new Set<string>());
  for (const { layout, bindings, table, tiles } of dispatches) {
    const { offset } = bindings[0];
    const code = emitMatrixReductionKernel({ ...kernel, program: programOf(reductions) }, layout);
    const names = [...code.matchAll(/let (\w+) = table\[entry \+ (\d+)u\]/g)];
    const lines = [
      ...textOf(/^ +(let (?:local|column_tile|row_tile|matrix) = .*;)$/gm, code),
      ...["row", "column"].flatMap((over) =>
        overs.includes(over as "row") ? [] : [`let ${over}Result = undefined;`],
      ),
      ...textOf(/^ +let (result = row_tile .*;)$/gm, code).map(
        (text) => `const columnResult = (matrix_column) => { let ${text} return result; };`,
      ),
      ...textOf(/^ +let (result = column_tile .*;)$/gm, code).map(
        (text) => `const rowResult = (matrix_row) => { let ${text} return result; };`,
      ),
      ...textOf(/^ +let (value_index = .*;)$/gm, code).map(
        (text) =>
          `const indexOf = (matrix_row, matrix_column) => { let ${text} return value_index; };`,
      ),
      "return { column_tile, row_tile, rowResult, columnResult, indexOf };",
    ];
    const places = compileFunction(lines.join("\n"), [
      ...names.map(([, name]) => name),
      "tile",
      "entry",
      "table",
    ]);
    for (let tile = 0; tile < tiles; tile += 1) {
      const entry = table[1 + tile];
      const values = names.map(([, , index]) => BigInt(table[entry + Number(index)]));
      const value = (name: string): number =>
        Number(values[names.findIndex(([, one]) => one === name)]);
      const found = places(...values, BigInt(tile), entry, Array.from(table, BigInt)) as {
        readonly column_tile: bigint;
        readonly row_tile: bigint;
        readonly rowResult: (row: bigint) => bigint;
        readonly columnResult: (column: bigint) => bigint;
        readonly indexOf: (row: bigint, column: bigint) => bigint;
      };
      const [firstRow, firstColumn] = [
        Number(found.row_tile) * value("tile_rows"),
        Number(found.column_tile) * value("tile_columns"),
      ];
      const lastRow = Math.min(value("matrix_rows"), firstRow + value("tile_rows"));
      const lastColumn = Math.min(value("matrix_columns"), firstColumn + value("tile_columns"));
      for (let row = firstRow; row < lastRow; row += 1)
        for (let column = firstColumn; column < lastColumn; column += 1) {
          const element =
            offset / 4 + value("start_p") + Number(found.indexOf(BigInt(row), BigInt(column)));
          overs.forEach((over, k) => {
            const result =
              over === "row" ? found.rowResult(BigInt(row)) : found.columnResult(BigInt(column));
            const word = value(`reduced_start${k}`) + Number(result);
            sums[word].push(element);
            writers[word].add(`${offset} ${tile}`);
          });
        }
    }
  }
  // No tile overwrites the result of another, and all that is joined is written.
  expect(new Set(writers.map((one) => one.size))).toEqual(new Set([1]));
  for (const over of overs) {
    const { start, results, tiles } = taken.get(over)!;
    const count = size / (over === "row" ? columns : rows);
    expect(results).toBe(count);
    const got = Array.from({ length: count }, (_, q) =>
      Array.from({ length: tiles }, (__, t) => sums[start + t * results + q])
        .flat()
        .sort((a, b) => a - b),
    );
    const expected = Array.from({ length: count }, (): number[] => []);
    for (let e = 0; e < size; e += 1) {
      const q =
        over === "row"
          ? Math.floor(e / columns)
          : Math.floor(e / (rows * columns)) * columns + (e % columns);
      expected[q].push(e);
    }
    expect(got).toEqual(expected);
  }
});
