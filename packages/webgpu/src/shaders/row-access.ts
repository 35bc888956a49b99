import { type UnselectedRows } from "@gradstep/core";
import { arrayBindingsOf, firstArrayBinding, type RowKernelLayout } from "./kernel-layout.js";
import { isUniform, type KernelArray, type KernelProgram } from "./kernel-program.js";
import { listEntryWords, noEntry } from "../planning/row-list.js";
import { bindingName, startName } from "./reserved-words.js";

/**
 * Parameters of a segment of rows in the table, before the starts of the arrays. Starts are positions of the segment's
 * first row in the bindings; strides are distances between rows. Those of gradients count units of two bytes, those of
 * masks and mirrors count words.
 */
export const rowParameterNames = [
  "columns",
  /** Units per gradient value: 1 for f16, 2 for f32. */
  "gradient_unit",
  "gradient_start",
  "gradient_stride",
  /** A value of `unselectedRowsCode`. */
  "unselected",
  "mask_start",
  "mask_stride",
  /** A mirror without gaps is one line; otherwise each row is a line. */
  "line_length",
  "line_start",
  "line_stride",
] as const;

export type RowParameters = Record<(typeof rowParameterNames)[number], number>;

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

/** What happens to unselected rows, as a number in the table. */
export const unselectedRowsCode: Readonly<Record<UnselectedRows, number>> = {
  keep: 0,
  decay: 1,
  zero: 2,
};

/** Whether a kernel of elements reads values per row or column. */
export function readsMatrices({ over, arrays }: KernelProgram): boolean {
  return over === "element" && arrays.some(({ extent }) => extent === "row" || extent === "column");
}

/** The starts of arrays in the table. That of the gradient is a row parameter. */
export function startParametersOf({ arrays }: KernelProgram): readonly string[] {
  return arrays.filter(({ name }) => name !== "g").map(({ name }) => startName(name));
}

/** How a kernel that works by rows finds the values of an element, whose index is `value_index`. */
export interface RowAccess {
  /** Declares the bindings after the table and the scalars. */
  readonly bindings: readonly string[];
  readonly functions: readonly string[];
  /** Declares `row` and `column`, and skips rows that take no part. */
  readonly position: readonly string[];
  readonly load: (array: KernelArray) => string;
  readonly store: (name: string, value: string) => string;
}

export function rowAccessOf(kernel: KernelProgram, layout: RowKernelLayout): RowAccess {
  const { arrays } = kernel;
  const hasGradient = arrays.some(({ name }) => name === "g");
  // A binding that holds parameters and gradients is an array of words.
  const isShared = layout.gradients === "shared-binding";
  const words = ["all_g", "row_mask", "row_list", "row_mirror", ...(isShared ? ["all_p"] : [])];
  const isWord = (name: string): boolean => name === "p" && isShared;
  const place = (array: KernelArray): string => {
    const binding = array.isScratch ? "scratch" : bindingName(array.name);
    return `${binding}[${startName(array.name)}${offsetOf(kernel, array, layout)}]`;
  };
  const store = (name: string, value: string): string => {
    const array = arrays.find((one) => one.name === name)!;
    return `${place(array)} = ${isWord(name) ? `bitcast<u32>(${value})` : value};`;
  };
  // Operands of matrix products are 0 where nothing is computed.
  const cleared = arrays.filter(({ name, isWritten }) => isWritten && name.startsWith("@operand"));
  const skip = [...cleared.map(({ name }) => store(name, "0.0")), "continue;"].join(" ");
  return {
    bindings: arrayBindingsOf(kernel, layout).map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<${words.includes(name) ? "u32" : "f32"}>;`,
    ),
    functions: hasGradient ? gradientFunction(isShared ? "all_p" : "all_g") : [],
    position: [
      ...(layout.list ? listedPosition : ["let row = value_index / columns;"]),
      "let column = value_index % columns;",
      ...(layout.list && hasGradient ? listedGradient : []),
      ...(layout.mask
        ? [
            "let selected = row_mask[mask_start + row * mask_stride] != 0u;",
            `if (!selected && unselected == ${unselectedRowsCode.keep}u) { ${skip} }`,
          ]
        : []),
    ],
    load: (array) => {
      if (array.name === "g") {
        if (layout.list) return "listed_gradient";
        const value =
          "gradient(gradient_start + row * gradient_stride + column * gradient_unit, gradient_unit)";
        return layout.mask ? `select(0.0, ${value}, selected)` : value;
      }
      return isWord(array.name) ? `bitcast<f32>(${place(array)})` : place(array);
    },
    store,
  };
}

/**
 * The row of an index, and the entry with its gradient. Rows before the segment's are above all others, as numbers without
 * a sign.
 */
const listedPosition: readonly string[] = [
  "var row = value_index / columns;",
  "var listed = row;",
  `if (unselected == ${unselectedRowsCode.zero}u) {`,
  "  listed = row_list[first_entries + first_row + row];",
  "} else {",
  `  let listed_row = row_list[list_start + row * ${listEntryWords}u];`,
  "  row = listed_row - first_row;",
  `  if (listed_row == ${noEntry}u || row >= row_count) { continue; }`,
  "}",
];

/** The gradients of an entry and of those that follow it, added in this order. */
const listedGradient: readonly string[] = [
  "var listed_gradient = 0.0;",
  `if (listed != ${noEntry}u) {`,
  "  listed_gradient = gradient(gradient_start + row_list[list_start + listed * 3u + 1u] * gradient_stride + column * gradient_unit, gradient_unit);",
  "  listed = row_list[list_start + listed * 3u + 2u];",
  "}",
  `while (listed != ${noEntry}u) {`,
  "  listed_gradient += gradient(gradient_start + row_list[list_start + listed * 3u + 1u] * gradient_stride + column * gradient_unit, gradient_unit);",
  "  listed = row_list[list_start + listed * 3u + 2u];",
  "}",
].map((line) => line.replaceAll("* 3u", `* ${listEntryWords}u`));

/** Where the value of an element is, from the start of an array. */
function offsetOf({ over }: KernelProgram, array: KernelArray, { list }: RowKernelLayout): string {
  if (isUniform(array)) return "";
  if (list) return " + row * columns + column";
  if (array.extent === over) return " + value_index";
  if (array.extent === "row") return " + value_index / matrix_columns";
  return " + value_index / (matrix_rows * matrix_columns) * matrix_columns + value_index % matrix_columns";
}

const gradientFunction = (array: string): readonly string[] => [
  "fn gradient(index: u32, unit: u32) -> f32 {",
  `  let word = ${array}[index / 2u];`,
  "  return select(bitcast<f32>(word), unpack2x16float(word)[index % 2u], unit == 1u);",
  "}",
  "",
];
