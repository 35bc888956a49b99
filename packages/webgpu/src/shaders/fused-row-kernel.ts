import { activationFunctions } from "./activation-functions.js";
import { copyFunctions, copyLines, groupLines, groupLoop } from "./copy-lines.js";
import { maxFusedColumns, type FusedRows } from "./fused-rows.js";
import { type RowKernelLayout } from "./kernel-layout.js";
import { type KernelArray, type KernelProgram } from "./kernel-program.js";
import { rowAccessOf, type RowAccess } from "./row-access.js";
import {
  copyParameterNames,
  rowParameterNames,
  startParameterNames,
  unselectedRowsCode,
} from "./row-parameters.js";
import { ruleModule } from "./rule-module.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import {
  elementLoop,
  emptyValue,
  functionDeclarations,
  indented,
  joined,
} from "./wgsl-fragments.js";

/**
 * A WGSL module that runs all passes of a step row by row; its entry point is `update`. Each invocation updates a row:
 * what a pass reduces is a variable, and what it stores is read by the same invocation. It computes the same as the
 * kernels of the passes.
 */
export function emitFusedRowKernel({ kernel, passes }: FusedRows, layout: RowKernelLayout): string {
  const access = rowAccessOf(kernel, layout);
  const parameters = [
    ...rowParameterNames(layout),
    ...startParameterNames(kernel, layout),
    ...copyParameterNames(layout),
  ];
  const last = passes.filter(({ arrays }) => arrays.some(({ name }) => name === "g")).at(-1);
  const variables = new Set(
    passes.flatMap(({ arrays, reductions }) => [
      ...arrays.filter(isRowVariable).map(({ name }) => name),
      ...reductions.map(({ name }) => name),
    ]),
  );
  const body = [
    ...groupLines,
    ...[...variables].map((name) => `var ${variableName(name)} = 0.0;`),
    ...access.rowOfGradients,
    ...passes.flatMap((pass) => {
      // Gradients are set to 0 by the last pass that reads them.
      const own = layout.clears && pass !== last ? rowAccessOf(kernel, layout, false) : access;
      return ["{", ...passLines(pass, own, layout).map((line) => `  ${line}`), "}"];
    }),
    ...copyLines(kernel, layout, access),
  ];
  const derives = layout.activates && kernel.arrays.some(({ name }) => name === "g");
  return ruleModule({
    kernel,
    how: "all passes of a row at once",
    value: "f32",
    parameters,
    bindings: access.bindings,
    declarations: [
      ...calledFunctions(passes),
      ...access.functions,
      ...activationFunctions(layout.copies > 0, derives),
      ...copyFunctions(kernel, layout),
    ],
    body: [...elementLoop(), ...indented(body), "}"],
  });
}

/** Whether an array is a variable of the invocation: a value of the row, or the number of its values. */
function isRowVariable({ isScratch, extent }: KernelArray): boolean {
  return isScratch && extent === "row";
}

function variableName(name: string): string {
  return `row_value_${name.slice(1)}`;
}

function calledFunctions(passes: readonly KernelProgram[]): readonly string[] {
  const nodes = passes.flatMap(({ program }) => program.nodes);
  const [first] = passes;
  return functionDeclarations({ ...first, program: { ...first.program, nodes } }, "f32");
}

/** One pass over the values of a row, or over the row itself. */
function passLines(
  pass: KernelProgram,
  access: RowAccess,
  layout: RowKernelLayout,
): readonly string[] {
  const load = (array: KernelArray): string => {
    if (isRowVariable(array)) return variableName(array.name);
    // A count: the number of values in a row.
    return array.isScratch ? "f32(columns)" : access.load(array);
  };
  const { perDispatch, perElement, results } = kernelBodyOf(pass, load);
  const textOf = (name: string): string => results.find((one) => one.name === name)!.text;
  const reduced = new Set(pass.reductions.map(({ name }) => name));
  const variables = new Set(pass.arrays.filter(isRowVariable).map(({ name }) => name));
  const writesParameter = results.some(({ name }) => name === "p");
  const stores = results
    .filter(({ name }) => !reduced.has(name) && name !== "p")
    .map(({ name, text }) =>
      variables.has(name) ? `${variableName(name)} = ${text};` : access.store(name, text),
    );
  if (pass.over === "row") {
    const isKept = `unselected == ${unselectedRowsCode.keep}u && !(${access.isSelected})`;
    const lines = [...perDispatch, ...perElement, ...stores];
    return [
      "let row = i;",
      "let column = 0u;",
      ...(layout.mask ? [`if (!(${isKept})) {`, ...lines.map((line) => `  ${line}`), "}"] : lines),
    ];
  }
  const storeParameter = writesParameter ? [access.store("p", textOf("p"))] : [];
  const isMasked = layout.mask && writesParameter;
  return [
    ...perDispatch,
    ...pass.reductions.map((_, k) => `var values${k}: array<f32, ${maxFusedColumns}>;`),
    ...pass.reductions.flatMap(({ op }, k) =>
      op === "sum"
        ? []
        : [`for (var k = 0u; k < ${maxFusedColumns}u; k++) { values${k}[k] = ${emptyValue[op]}; }`],
    ),
    ...groupLoop([
      ...access.position,
      ...perElement,
      ...stores,
      ...pass.reductions.map(({ name }, k) => `values${k}[column] = ${textOf(name)};`),
      ...(isMasked
        ? [`if (selected || unselected == ${unselectedRowsCode.zero}u) {`, ...storeParameter, "}"]
        : storeParameter),
    ]),
    ...pass.reductions.flatMap(({ name, op }, k) => [
      `for (var half = ${maxFusedColumns / 2}u; half > 0u; half /= 2u) {`,
      "  for (var k = 0u; k < half; k++) {",
      `    values${k}[k] = ${joined(op, `values${k}[k]`, `values${k}[k + half]`)};`,
      "  }",
      "}",
      `${variableName(name)} = values${k}[0];`,
    ]),
  ];
}
