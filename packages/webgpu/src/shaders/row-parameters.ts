import type { UnselectedRows } from "@gradstep/core";
import type { RowKernelLayout } from "./kernel-layout.js";
import { isUniform, type KernelArray, type KernelProgram } from "./kernel-program.js";
import { startName, strideName, widthName } from "./reserved-words.js";

/**
 * Parameters of a segment of rows in the table, before the starts of the arrays. Starts are positions of the segment's
 * first row in the bindings; strides are distances between rows. Those of gradients count units of two bytes, those of
 * masks count words.
 */
const alwaysNames = [
  "columns",
  /** Units per gradient value: 1 for f16, 2 for others. */
  "gradient_unit",
  "gradient_start",
  "gradient_stride",
  /** A value of `unselectedRowsCode`. */
  "unselected",
  "mask_start",
  "mask_stride",
] as const;

const maskNames = [
  /** The first row of the segment, for a mask that is the number of rows: one whose stride is 0. */
  "mask_first_row",
] as const;

const fixedPointNames = [
  /** A value of `gradientTypeCode`. */
  "gradient_type",
  /** The bits of an f32. */
  "gradient_scale",
] as const;

const activationNames = [
  /** A value of `activationCode`, and the bits of its scale. */
  "gradient_activation",
  "activation_scale",
] as const;

/** Values that one invocation handles: `group_length` of a line, which is a row, or all rows if there are no gaps. */
const groupNames = ["line_length", "group_length"] as const;

const copyNames = [
  /** A value of `activationCode`; 0 if there is no copy. */
  "activation",
  /** The bits of f32. */
  "scale",
  "offset",
  /** In units of two bytes. */
  "start",
  "stride",
  /** Units per value: 1 for f16, 2 for f32. */
  "unit",
] as const;

/** A value for each parameter that a layout can have. */
export type RowParameters = Readonly<
  Record<
    | (typeof alwaysNames)[number]
    | (typeof maskNames)[number]
    | (typeof fixedPointNames)[number]
    | (typeof activationNames)[number]
    | (typeof groupNames)[number],
    number
  >
>;

/** The parameters of a copy of a segment. */
export type CopyParameters = Readonly<Record<(typeof copyNames)[number], number>>;

/** What happens to unselected rows, as a number in the table. */
export const unselectedRowsCode: Readonly<Record<UnselectedRows, number>> = {
  keep: 0,
  decay: 1,
  zero: 2,
};

/** The types of gradients, as numbers in the table. */
export const gradientTypeCode = { float: 0, i32: 1, u32: 2 } as const;

/** Whether an invocation of this layout handles several values. */
export function isGrouped({ copies, activates, fused }: RowKernelLayout): boolean {
  return copies > 0 || activates || fused;
}

/** The names of the row parameters of a layout, in the order of the table. */
export function rowParameterNames(layout: RowKernelLayout): readonly (keyof RowParameters)[] {
  return [
    ...alwaysNames,
    ...(layout.mask ? maskNames : []),
    ...(layout.fixedPoint === "none" ? [] : fixedPointNames),
    ...(layout.activates ? activationNames : []),
    ...(isGrouped(layout) ? groupNames : []),
  ];
}

/** The names of the parameters of a layout's copies, after the row parameters. */
export function copyParameterNames({ copies }: RowKernelLayout): readonly string[] {
  return Array.from({ length: copies }, (_, k) =>
    copyNames.map((name) => copyParameterName(k, name)),
  ).flat();
}

export function copyParameterName(copy: number, name: keyof CopyParameters): string {
  return `copy${copy}_${name}`;
}

/** The words of copies in the table. */
export function copyWords(copies: readonly CopyParameters[]): readonly number[] {
  return copies.flatMap((copy) => copyNames.map((name) => copy[name]));
}

/** What decides whether a kernel reads the parameter, although its program does not. */
type ParameterUse = Pick<RowKernelLayout, "activates" | "copies">;

/** The arrays of a kernel, and the parameter: the derivative of an activation, and copies, need it. */
export function accessedArraysOf(
  { arrays }: Pick<KernelProgram, "arrays">,
  { activates, copies }: ParameterUse,
): readonly KernelArray[] {
  const has = (one: string): boolean => arrays.some(({ name }) => name === one);
  const needsParameter = !has("p") && ((activates && has("g")) || copies > 0);
  const parameter: KernelArray = {
    name: "p",
    extent: "element",
    isWritten: false,
    isScratch: false,
  };
  return needsParameter ? [parameter, ...arrays] : arrays;
}

/** The arrays whose starts are in the table: all but the gradient. */
export function placedArraysOf(
  kernel: Pick<KernelProgram, "arrays">,
  use: ParameterUse,
): readonly KernelArray[] {
  return accessedArraysOf(kernel, use).filter(({ name }) => name !== "g");
}

/** Whether the rows of an array can have gaps. */
export function hasStride(array: KernelArray, { strides }: RowKernelLayout): boolean {
  return strides && !array.isScratch && !isUniform(array);
}

/** Whether the rows of an array can differ from those over which the kernel runs, and can have gaps. */
export function hasWidth(array: KernelArray, layout: RowKernelLayout): boolean {
  return layout.widths && array.extent !== "element" && hasStride(array, layout);
}

/** The starts of arrays in the table, after the row parameters, and the strides and widths of those that have one. */
export function startParameterNames(
  kernel: KernelProgram,
  layout: RowKernelLayout,
): readonly string[] {
  const placed = placedArraysOf(kernel, layout);
  return [
    ...placed.map(({ name }) => startName(name)),
    ...placed.filter((array) => hasStride(array, layout)).map(({ name }) => strideName(name)),
    ...placed.filter((array) => hasWidth(array, layout)).map(({ name }) => widthName(name)),
  ];
}

/** Parameters of a segment of matrices, after the starts of the arrays. */
export const matrixParameterNames = ["matrix_rows", "matrix_columns"] as const;

/**
 * Parameters of a segment of listed rows, after those of matrices: the first word of the list, that of the first entries
 * of all rows, and the rows of the tensor that the segment covers.
 */
export const listParameterNames = [
  "list_start",
  "first_entries",
  "first_row",
  "row_count",
] as const;

/** The parameter after these, if each entry of the list has scalars of its own: where the words with the start of each begin. */
export const scalarStartsName = "scalar_starts";

/** Whether an elementwise kernel reads values per row or column. */
export function readsMatrices({ over, arrays }: KernelProgram): boolean {
  return over === "element" && arrays.some(({ extent }) => extent === "row" || extent === "column");
}
