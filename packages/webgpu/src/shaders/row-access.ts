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
  hasStride,
  hasWidth,
  placedArraysOf,
  scalarStartsName,
  unselectedRowsCode,
} from "./row-parameters.js";
import {
  gradientIndexOf,
  gradientCall,
  gradientFunction,
  clearFunction,
  rowOfGradients,
  chainScale,
  listedGradient,
} from "./row-gradients.js";
import { loadFloat, loadWord, storeFloat } from "./binding-access.js";
import { isInGroupLoop, positionOf } from "./row-position.js";

const scratch: RowBinding = { name: "scratch", access: "read_write", type: "f32" };

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
      ...(layout.rowScalars ? [`let row_scalars = row_list[${scalarStartsName} + listed];`] : []),
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

/** Where the value of an element is, from the start of an array. */
function offsetOf({ over }: KernelProgram, array: KernelArray, layout: RowKernelLayout): string {
  if (isUniform(array)) return "";
  if (layout.fused && array.extent === "row")
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
