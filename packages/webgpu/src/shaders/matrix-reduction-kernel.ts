import type { Reduction, ReduceOp } from "@gradstep/core";
import { workgroupSize, type RowKernelLayout } from "./kernel-layout.js";
import { type KernelProgram } from "./kernel-program.js";
import { activationFunctions } from "./activation-functions.js";
import { rowAccessOf } from "./row-access.js";
import { isInGroupLoop, positionOf } from "./row-position.js";
import { matrixParameterNames, rowParameterNames, startParameterNames } from "./row-parameters.js";
import { ruleModule } from "./rule-module.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import { emptyValue, functionDeclarations, indented, joined } from "./wgsl-fragments.js";

/** Parameters of a segment of matrices in the table, after their dimensions and before the starts of the results. */
export const tileParameterNames = [
  /** Powers of two; their product is `valuesPerTile`. */
  "tile_rows",
  "tile_columns",
  /** The number of tiles that the rows or columns of a matrix are divided into. */
  "row_tiles",
  "column_tiles",
  /** The number of results per tile column or tile row: rows or columns of all matrices of the tensor. */
  "row_count",
  "column_count",
] as const;

/** Bytes of workgroup memory that every device has. */
const workgroupMemory = 16384;

/** The number of values that a workgroup reduces. Less for many reductions, since each has its own copy. */
export function valuesPerTile({ reductions }: KernelProgram): number {
  return Math.min(1024, 2 ** Math.floor(Math.log2(workgroupMemory / 4 / reductions.length)));
}

/**
 * A WGSL module that reduces values to one per row or column; its entry point is `update`. Each workgroup reduces a tile
 * of a matrix, and writes one result per row or column of the tile to the scratch buffer. Tiles have the shape that fits
 * a matrix best.
 */
export function emitMatrixReductionKernel(kernel: KernelProgram, layout: RowKernelLayout): string {
  const { reductions } = kernel;
  const size = valuesPerTile(kernel);
  const access = rowAccessOf(kernel, layout);
  const parameters = [
    ...rowParameterNames(layout),
    ...startParameterNames(kernel, layout),
    ...matrixParameterNames,
    ...tileParameterNames,
    ...reductions.map((_, k) => resultStart(k)),
  ];
  const { perDispatch, perElement, results } = kernelBodyOf(kernel, access.load);
  const textOf = (name: string): string => results.find((one) => one.name === name)!.text;
  return ruleModule({
    kernel,
    how: `by tiles of matrices${layout.mask ? ", skips rows whose mask is 0" : ""}`,
    value: "f32",
    parameters,
    bindings: access.bindings,
    declarations: [
      ...reductions.map((_, k) => `var<workgroup> ${tileOf(k)}: array<f32, ${size}>;`),
      "",
      ...functionDeclarations(kernel, "f32"),
      ...access.functions,
      ...activationFunctions(false, layout.activates),
    ],
    body: [
      ...perDispatch,
      "let local = tile - table[entry];",
      "let column_tile = local % column_tiles;",
      "let row_tile = local / column_tiles % row_tiles;",
      "let matrix = local / column_tiles / row_tiles;",
      forAll("tile_rows * tile_columns"),
      "  let matrix_row = row_tile * tile_rows + n / tile_columns;",
      "  let matrix_column = column_tile * tile_columns + n % tile_columns;",
      ...reductions.map(({ op }, k) => `  ${tileOf(k)}[n] = ${emptyValue[op]};`),
      "  if (matrix_row >= matrix_rows || matrix_column >= matrix_columns) { continue; }",
      "  let value_index = (matrix * matrix_rows + matrix_row) * matrix_columns + matrix_column;",
      ...indented([
        ...(layout.activates ? ["let first = value_index;", ...access.rowOfGradients] : []),
        ...(isInGroupLoop(layout) ? positionOf(layout) : []),
        ...access.position,
        ...perElement,
        ...reductions.map(({ name }, k) => `${tileOf(k)}[n] = ${textOf(name)};`),
      ]),
      "}",
      "workgroupBarrier();",
      ...rowTree(reductions),
      ...columnTree(reductions),
    ],
  });
}

/** The values of a tile that are reduced. */
function tileOf(k: number): string {
  return `reduced_values${k}`;
}

function resultStart(k: number): string {
  return `reduced_start${k}`;
}

/** The start of a loop that the invocations of a workgroup share. */
function forAll(count: string): string {
  return `for (var n = invocation; n < ${count}; n += ${workgroupSize}u) {`;
}

/** Lines for each reduction of an extent. */
function linesOf(
  reductions: readonly Reduction[],
  extent: "row" | "column",
  line: (k: number, op: ReduceOp) => string,
): readonly string[] {
  return reductions.flatMap(({ over, op }, k) => (over === extent ? [line(k, op)] : []));
}

/** Reduces the rows of a tile pairwise. */
function rowTree(reductions: readonly Reduction[]): readonly string[] {
  if (!reductions.some(({ over }) => over === "row")) return [];
  return [
    "for (var half = tile_columns / 2u; half > 0u; half /= 2u) {",
    `  ${forAll("tile_rows * half")}`,
    "    let k = n / half * tile_columns + n % half;",
    ...linesOf(
      reductions,
      "row",
      (k, op) =>
        `    ${tileOf(k)}[k] = ${joined(op, `${tileOf(k)}[k]`, `${tileOf(k)}[k + half]`)};`,
    ),
    "  }",
    "  workgroupBarrier();",
    "}",
    forAll("tile_rows"),
    "  let matrix_row = row_tile * tile_rows + n;",
    "  let result = column_tile * row_count + matrix * matrix_rows + matrix_row;",
    "  if (matrix_row < matrix_rows) {",
    ...linesOf(
      reductions,
      "row",
      (k) => `    scratch[${resultStart(k)} + result] = ${tileOf(k)}[n * tile_columns];`,
    ),
    "  }",
    "}",
  ];
}

/** Reduces the columns of a tile pairwise. */
function columnTree(reductions: readonly Reduction[]): readonly string[] {
  if (!reductions.some(({ over }) => over === "column")) return [];
  return [
    "for (var half = tile_rows / 2u; half > 0u; half /= 2u) {",
    `  ${forAll("tile_columns * half")}`,
    "    let k = n + tile_columns * half;",
    ...linesOf(
      reductions,
      "column",
      (k, op) => `    ${tileOf(k)}[n] = ${joined(op, `${tileOf(k)}[n]`, `${tileOf(k)}[k]`)};`,
    ),
    "  }",
    "  workgroupBarrier();",
    "}",
    forAll("tile_columns"),
    "  let matrix_column = column_tile * tile_columns + n;",
    "  let result = row_tile * column_count + matrix * matrix_columns + matrix_column;",
    "  if (matrix_column < matrix_columns) {",
    ...linesOf(
      reductions,
      "column",
      (k) => `    scratch[${resultStart(k)} + result] = ${tileOf(k)}[n];`,
    ),
    "  }",
    "}",
  ];
}
