import { listEntryWords, noEntry } from "./row-list-kernel.js";
import { firstArrayBinding, type RowKernelLayout } from "./kernel-layout.js";
import {
  isUniform,
  scaledGradient,
  type KernelArray,
  type KernelProgram,
} from "./kernel-program.js";
import { startName, strideName, widthName } from "./reserved-words.js";
import { rowBindingOf, rowBindingsOf, type RowBinding } from "./row-bindings.js";
import {
  gradientTypeCode,
  hasStride,
  hasWidth,
  isGrouped,
  placedArraysOf,
  scalarPlacesName,
  unselectedRowsCode,
} from "./row-parameters.js";
import { activationCode, boundedNorm } from "./activation-functions.js";

/** How a kernel that works by rows finds the values of an element, whose index is `value_index`. */
export interface RowAccess {
  /** Declares the bindings after the table and the scalars. */
  readonly bindings: readonly string[];
  readonly functions: readonly string[];
  /** Declares `row` and `column`, and skips rows that take no part. */
  readonly position: readonly string[];
  readonly load: (array: KernelArray) => string;
  /** A scalar of the row's own. */
  readonly loadScalar: (index: number) => string;
  readonly store: (name: string, value: string) => string;
  /** The value of the parameter at an offset from the start of its row. */
  readonly loadParameter: (row: string, column: string) => string;
  /** Whether the mask selects `row`; undefined without a mask. */
  readonly isSelected: string | undefined;
  /** Declares what the gradients of a row have in common, before the loop over the values of a group. */
  readonly rowOfGradients: readonly string[];
}

/** @param clearsGradients whether gradients are set to 0 when they are loaded */
export function rowAccessOf(
  kernel: KernelProgram,
  layout: RowKernelLayout,
  clearsGradients: boolean = layout.clears,
): RowAccess {
  const { arrays } = kernel;
  const hasGradient = arrays.some(({ name }) => name === "g");
  const bindingOf = (array: KernelArray): RowBinding =>
    array.isScratch ? scratch : rowBindingOf(kernel, layout, array.name);
  const indexOf = (array: KernelArray): string =>
    `${startName(array.name)}${offsetOf(kernel, array, layout)}`;
  const load = (array: KernelArray): string => loadFloat(bindingOf(array), indexOf(array));
  const store = (name: string, value: string): string => {
    const array = arrays.find((one) => one.name === name)!;
    return storeFloat(bindingOf(array), indexOf(array), value);
  };
  const parameter = placedArraysOf(kernel, layout).find(({ name }) => name === "p");
  const loadParameter = (row: string, column: string): string => {
    const stride = hasStride(parameter!, layout) ? strideName("p") : "columns";
    return loadFloat(bindingOf(parameter!), `${startName("p")} + ${row} * ${stride} + ${column}`);
  };
  // Operands of matrix products are 0 where nothing is computed.
  const cleared = arrays.filter(({ name, isWritten }) => isWritten && name.startsWith("@operand"));
  const skip = [...cleared.map(({ name }) => store(name, "0.0")), "continue;"].join(" ");
  const isSelected = layout.mask
    ? `${loadWord(rowBindingOf(kernel, layout, "#mask"), "mask_start + row * mask_stride")} > select(0u, mask_first_row + row, mask_stride == 0u)`
    : undefined;
  const activates = layout.activates && hasGradient;
  const clears = clearsGradients && hasGradient;
  const isEarly = activates || clears;
  const gradientIndex = gradientIndexOf("row", "column");
  const stored = scaledGradient(
    kernel,
    layout.list ? "listed_gradient" : gradientCall(gradientIndex, layout),
  );
  const derived = activates
    ? `chain_rule(${clears ? "stored_gradient" : stored}, ${loadParameter("row", "column")}, gradient_activation, ${chainScale}, along)`
    : clears
      ? "stored_gradient"
      : stored;
  return {
    bindings: bindingDeclarations(kernel, layout, firstArrayBinding),
    functions: hasGradient
      ? [
          ...gradientFunction(rowBindingOf(kernel, layout, "g"), layout),
          ...(clears ? clearFunction(rowBindingOf(kernel, layout, "g")) : []),
        ]
      : [],
    position: [
      ...(isInGroupLoop(layout) ? [] : positionOf(layout)),
      ...(layout.rowScalars ? [`let row_scalars = row_list[${scalarPlacesName} + listed];`] : []),
      ...(layout.list && hasGradient ? listedGradient(layout) : []),
      ...(clears
        ? [`let stored_gradient = ${stored};`, `clear_gradient(${gradientIndex}, gradient_unit);`]
        : []),
      ...(layout.mask
        ? [
            `let selected = ${isSelected};`,
            `if (!selected && unselected == ${unselectedRowsCode.keep}u) { ${skip} }`,
          ]
        : []),
      ...(isEarly && layout.mask ? [`let own_gradient = select(0.0, ${derived}, selected);`] : []),
    ],
    load: (array) => {
      if (array.name !== "g") return load(array);
      if (!layout.mask) return derived;
      return isEarly ? "own_gradient" : `select(0.0, ${derived}, selected)`;
    },
    loadScalar: (index) => `bitcast<f32>(row_list[row_scalars + ${index}u])`,
    store,
    loadParameter,
    isSelected,
    rowOfGradients: activates ? rowOfGradients(kernel, loadParameter, layout) : [],
  };
}

/** Whether the loop over the values of a group declares their row and column. */
export function isInGroupLoop(layout: RowKernelLayout): boolean {
  return isGrouped(layout) && !layout.list;
}

/** Declares the row and column of a value. */
export function positionOf({ list, mask }: RowKernelLayout): readonly string[] {
  return [
    ...(list && !mask ? listedPosition : ["let row = value_index / columns;"]),
    ...(list && mask ? ["var listed = row_list[first_entries + first_row + row];"] : []),
    "let column = value_index % columns;",
  ];
}

/** Declares the bindings of arrays. */
export function bindingDeclarations(
  kernel: KernelProgram,
  layout: RowKernelLayout,
  firstBinding: number,
): readonly string[] {
  return rowBindingsOf(kernel, layout).map(
    ({ name, access, type }, i) =>
      `@group(0) @binding(${firstBinding + i}) var<storage, ${access}> ${name}: array<${type}>;`,
  );
}

const scratch: RowBinding = { name: "scratch", access: "read_write", type: "f32" };

function loadFloat({ name, type }: RowBinding, index: string): string {
  if (type === "f32") return `${name}[${index}]`;
  return `bitcast<f32>(${loadWord({ name, type }, index)})`;
}

function loadWord({ name, type }: Pick<RowBinding, "name" | "type">, index: string): string {
  return type === "atomic<u32>" ? `atomicLoad(&${name}[${index}])` : `${name}[${index}]`;
}

export function storeFloat(
  { name, type }: Pick<RowBinding, "name" | "type">,
  index: string,
  value: string,
): string {
  if (type === "f32") return `${name}[${index}] = ${value};`;
  return storeWord({ name, type }, index, `bitcast<u32>(${value})`);
}

export function storeWord(
  { name, type }: Pick<RowBinding, "name" | "type">,
  index: string,
  word: string,
): string {
  return type === "atomic<u32>"
    ? `atomicStore(&${name}[${index}], ${word});`
    : `${name}[${index}] = ${word};`;
}

/**
 * The row of an index, and the entry with its gradient; with a mask, entries are found by their rows. Rows before the
 * segment's are above all others, as numbers without a sign.
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
function listedGradient(layout: RowKernelLayout): readonly string[] {
  const entry = (word: number): string =>
    `row_list[list_start + listed * ${listEntryWords}u + ${word}u]`;
  const gradient = gradientCall(gradientIndexOf(entry(1), "column"), layout);
  return [
    "var listed_gradient = 0.0;",
    `if (listed != ${noEntry}u) {`,
    `  listed_gradient = ${gradient};`,
    `  listed = ${entry(2)};`,
    "}",
    `while (listed != ${noEntry}u) {`,
    `  listed_gradient += ${gradient};`,
    `  listed = ${entry(2)};`,
    "}",
  ];
}

/** Where the value of an element is, from the start of an array. */
function offsetOf({ over }: KernelProgram, array: KernelArray, layout: RowKernelLayout): string {
  if (isUniform(array)) return "";
  if (layout.wholeRows && array.extent === "row")
    return hasStride(array, layout) ? ` + row * ${strideName(array.name)}` : " + row";
  if (hasWidth(array, layout)) {
    const width = widthName(array.name);
    const index = indexOf(over, array);
    return ` + ${index} / ${width} * ${strideName(array.name)} + ${index} % ${width}`;
  }
  if (hasStride(array, layout)) {
    // Rows of a slot per row are one value each, unless the slot has no gaps.
    if (array.extent === over) return ` + row * ${strideName(array.name)} + column`;
    if (array.extent === "row")
      return ` + value_index / matrix_columns * ${strideName(array.name)}`;
  }
  if (layout.list) return " + row * columns + column";
  return ` + ${indexOf(over, array)}`;
}

/** The index of the value of an element in an array without gaps. */
function indexOf(over: KernelProgram["over"], { extent }: KernelArray): string {
  if (extent === over) return "value_index";
  if (extent === "row") return "value_index / matrix_columns";
  return "(value_index / (matrix_rows * matrix_columns) * matrix_columns + value_index % matrix_columns)";
}

function gradientIndexOf(row: string, column: string): string {
  return `gradient_start + ${row} * gradient_stride + ${column} * gradient_unit`;
}

function gradientCall(index: string, { fixedPoint }: RowKernelLayout): string {
  return `gradient(${index}, gradient_unit${fixedPoint === "none" ? "" : ", gradient_type, bitcast<f32>(gradient_scale)"})`;
}

function gradientFunction(binding: RowBinding, { fixedPoint }: RowKernelLayout): readonly string[] {
  const read = `  let word = ${loadWord(binding, "index / 2u")};`;
  const float =
    "  return select(bitcast<f32>(word), unpack2x16float(word)[index % 2u], unit == 1u);";
  if (fixedPoint === "none")
    return ["fn gradient(index: u32, unit: u32) -> f32 {", read, float, "}", ""];
  const i32 = "f32(bitcast<i32>(word)) * scale";
  const u32 = "f32(word) * scale";
  const value = {
    i32: [`  return ${i32};`],
    u32: [`  return ${u32};`],
    mixed: [
      `  if (kind == ${gradientTypeCode.i32}u) { return ${i32}; }`,
      `  if (kind == ${gradientTypeCode.u32}u) { return ${u32}; }`,
      float,
    ],
  };
  return [
    "fn gradient(index: u32, unit: u32, kind: u32, scale: f32) -> f32 {",
    read,
    ...value[fixedPoint],
    "}",
    "",
  ];
}

/** Sets a gradient to 0, and keeps the other half of the word of an f16. */
function clearFunction(binding: RowBinding): readonly string[] {
  const { name, type } = binding;
  return [
    "fn clear_gradient(index: u32, unit: u32) {",
    ...(type === "atomic<u32>"
      ? [
          `  if (unit == 1u) { atomicAnd(&${name}[index / 2u], 0xffff0000u >> (16u * (index % 2u))); return; }`,
        ]
      : []),
    `  ${storeWord(binding, "index / 2u", "0u")}`,
    "}",
    "",
  ];
}

const chainScale = `select(bitcast<f32>(activation_scale), row_norm, gradient_activation == ${activationCode.normalize}u)`;

/** The norm of the parameter's row, and the product of the gradient with the normalized row. */
function rowOfGradients(
  kernel: KernelProgram,
  loadParameter: RowAccess["loadParameter"],
  layout: RowKernelLayout,
): readonly string[] {
  const gradient = scaledGradient(kernel, gradientCall(gradientIndexOf("group_row", "k"), layout));
  return [
    "var row_norm = 1.0;",
    "var along = 0.0;",
    `if (gradient_activation == ${activationCode.normalize}u) {`,
    "  let group_row = first / columns;",
    "  var squares = 0.0;",
    "  for (var k = 0u; k < columns; k++) {",
    `    let x = ${loadParameter("group_row", "k")};`,
    "    squares += x * x;",
    "  }",
    `  row_norm = ${boundedNorm("squares")};`,
    // A sum of x times the gradient, divided at the end, would overflow or underflow where this does not.
    "  for (var k = 0u; k < columns; k++) {",
    `    along += ${loadParameter("group_row", "k")} / row_norm * ${kernel.isScaled === true ? `(${gradient})` : gradient};`,
    "  }",
    "}",
  ];
}
