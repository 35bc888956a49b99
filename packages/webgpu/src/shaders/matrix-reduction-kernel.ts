import type { Reduction, ReduceOp } from "@gradstep/core";
import { entryHeaderLength, workgroupSize, type RowKernelLayout } from "./kernel-layout.js";
import { purposeOf, type KernelProgram } from "./kernel-program.js";
import {
  matrixParameterNames,
  rowAccessOf,
  rowParameterNames,
  startParametersOf,
} from "./row-access.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import {
  emptyValue,
  entryPoint,
  functionDeclarations,
  joined,
  tableAndScalars,
  typeDeclarations,
} from "./wgsl-fragments.js";

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

/** The number of values that a workgroup reduces. Less if many outputs are reduced, since all of them are in its memory. */
export function valuesPerTile(kernel: KernelProgram): number {
  const arrays = operandsOf(kernel).length + 1;
  return Math.min(1024, 2 ** Math.floor(Math.log2(workgroupMemory / 4 / arrays)));
}

/** A value that is reduced to rows, to columns or to both. */
interface Operand {
  readonly node: number;
  readonly op: ReduceOp;
  /** An output that is this value. */
  readonly name: string;
}

function operandsOf({ program, reductions }: KernelProgram): readonly Operand[] {
  const operands: Operand[] = [];
  for (const { name, op } of reductions) {
    const { node } = program.outputs.find((output) => output.name === name)!;
    if (operands.every((one) => one.node !== node || one.op !== op))
      operands.push({ node, op, name });
  }
  return operands;
}

/**
 * A WGSL module that reduces values to one per row or column; its entry point is `update`. Each workgroup reduces a tile
 * of a matrix, and writes one result per row or column of the tile to the scratch buffer. Tiles have the shape that fits
 * a matrix best.
 */
export function emitMatrixReductionKernel(kernel: KernelProgram, layout: RowKernelLayout): string {
  const { label, program, reductions } = kernel;
  const operands = operandsOf(kernel);
  const size = valuesPerTile(kernel);
  const access = rowAccessOf(kernel, layout);
  const parameters = [
    ...rowParameterNames,
    ...startParametersOf(kernel),
    ...matrixParameterNames,
    ...tileParameterNames,
    ...reductions.map((_, k) => `reduced_start${k}`),
  ];
  const { perDispatch, perElement, results } = kernelBodyOf(kernel, access.load);
  const operandOf = ({ name, op }: Reduction): string => {
    const { node } = program.outputs.find((output) => output.name === name)!;
    return operandName(operands.findIndex((one) => one.node === node && one.op === op));
  };
  const textOf = (name: string): string => results.find((one) => one.name === name)!.text;
  return [
    `// ${label}: ${purposeOf(kernel)}, by tiles of matrices${layout.mask ? ", skips rows whose mask is 0" : ""}.`,
    ...typeDeclarations(kernel, "f32"),
    "// The number of tiles; for each tile, the index of its segment's entry; then the entries: first tile, element",
    `// count, index of the scalars, ${parameters.join(", ")}.`,
    ...tableAndScalars,
    ...access.bindings,
    "",
    ...operands.map((_, k) => `var<workgroup> ${operandName(k)}: array<f32, ${size}>;`),
    `var<workgroup> work: array<f32, ${size}>;`,
    "",
    ...functionDeclarations(kernel),
    ...access.functions,
    ...entryPoint,
    "  let scalar_set = table[entry + 2u];",
    ...parameters.map((name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`),
    ...perDispatch.map((line) => `  ${line}`),
    "  let local = tile - table[entry];",
    "  let column_tile = local % column_tiles;",
    "  let row_tile = local / column_tiles % row_tiles;",
    "  let matrix = local / column_tiles / row_tiles;",
    `  ${forAll(`${size}u`)}`,
    "    let matrix_row = row_tile * tile_rows + n / tile_columns;",
    "    let matrix_column = column_tile * tile_columns + n % tile_columns;",
    ...operands.map(({ op }, k) => `    ${operandName(k)}[n] = ${emptyValue[op]};`),
    "    if (matrix_row >= matrix_rows || matrix_column >= matrix_columns) { continue; }",
    "    let value_index = (matrix * matrix_rows + matrix_row) * matrix_columns + matrix_column;",
    ...access.position.map((line) => `    ${line}`),
    ...perElement.map((line) => `    ${line}`),
    ...operands.map(({ name }, k) => `    ${operandName(k)}[n] = ${textOf(name)};`),
    "  }",
    "  workgroupBarrier();",
    ...reductions.flatMap((one, k) =>
      [
        `${forAll(`${size}u`)} work[n] = ${operandOf(one)}[n]; }`,
        "workgroupBarrier();",
        ...(one.over === "row" ? rowTree(one.op, k) : columnTree(one.op, k)),
        "workgroupBarrier();",
      ].map((line) => `  ${line}`),
    ),
    "}",
    "",
  ].join("\n");
}

function operandName(k: number): string {
  return `reduced_operand${k}`;
}

/** The start of a loop that the invocations of a workgroup share. */
function forAll(count: string): string {
  return `for (var n = invocation; n < ${count}; n += ${workgroupSize}u) {`;
}

function rowTree(op: ReduceOp, k: number): readonly string[] {
  return [
    "for (var half = tile_columns / 2u; half > 0u; half /= 2u) {",
    `  ${forAll("tile_rows * half")}`,
    "    let k = n / half * tile_columns + n % half;",
    `    work[k] = ${joined(op, "work[k]", "work[k + half]")};`,
    "  }",
    "  workgroupBarrier();",
    "}",
    forAll("tile_rows"),
    "  let matrix_row = row_tile * tile_rows + n;",
    "  if (matrix_row < matrix_rows) {",
    `    scratch[reduced_start${k} + column_tile * row_count + matrix * matrix_rows + matrix_row] = work[n * tile_columns];`,
    "  }",
    "}",
  ];
}

function columnTree(op: ReduceOp, k: number): readonly string[] {
  return [
    "for (var half = tile_rows / 2u; half > 0u; half /= 2u) {",
    `  ${forAll("tile_columns * half")}`,
    `    work[n] = ${joined(op, "work[n]", "work[n + tile_columns * half]")};`,
    "  }",
    "  workgroupBarrier();",
    "}",
    forAll("tile_columns"),
    "  let matrix_column = column_tile * tile_columns + n;",
    "  if (matrix_column < matrix_columns) {",
    `    scratch[reduced_start${k} + row_tile * column_count + matrix * matrix_columns + matrix_column] = work[n];`,
    "  }",
    "}",
  ];
}
