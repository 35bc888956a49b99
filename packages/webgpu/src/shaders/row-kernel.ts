import { activationFunctions } from "./activation-functions.js";
import { copyFunctions, copyLines, groupLines, groupLoop } from "./copy-lines.js";
import { type RowKernelLayout } from "./kernel-layout.js";
import { type KernelProgram } from "./kernel-program.js";
import { rowAccessOf } from "./row-access.js";
import { isInGroupLoop } from "./row-position.js";
import {
  copyParameterNames,
  isGrouped,
  listParameterNames,
  matrixParameterNames,
  readsMatrices,
  rowParameterNames,
  scalarStartsName,
  startParameterNames,
  unselectedRowsCode,
} from "./row-parameters.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import { elementLoop, functionDeclarations, indented } from "./wgsl-fragments.js";
import { ruleModule } from "./rule-module.js";
import { workgroupReductionOf } from "./workgroup-reduction.js";

/**
 * A WGSL module that updates tensors by rows; its entry point is `update`. Tensors can have gaps between rows, gradients
 * can be of other types, rows can be left out by a mask, and the parameter can have copies. It computes the same as
 * `emitDenseKernel`. Values per row and column can be read as well.
 *
 * With copies, and with gradients with respect to activated parameters, an invocation handles a group of values: two or
 * more that share words, or a row.
 */
export function emitRowKernel(kernel: KernelProgram, layout: RowKernelLayout): string {
  const { reductions, arrays } = kernel;
  const reduction = workgroupReductionOf(kernel, 1);
  const access = rowAccessOf(kernel, layout);
  const parameters = [
    ...rowParameterNames(layout),
    ...startParameterNames(kernel, layout),
    ...copyParameterNames(layout),
    ...(readsMatrices(kernel) ? matrixParameterNames : []),
    ...(layout.list ? listParameterNames : []),
    ...(layout.rowScalars ? [scalarStartsName] : []),
    ...reduction.parameters,
  ];
  const { perDispatch, perElement, results } = kernelBodyOf(
    kernel,
    access.load,
    layout.rowScalars ? access.loadScalar : undefined,
  );
  const stored = results.filter(({ name }) => reductions.every((one) => one.name !== name));
  const textOf = (name: string): string => results.find((one) => one.name === name)!.text;
  const storesParameter = stored.some(({ name }) => name === "p");
  const storeParameter = storesParameter ? [access.store("p", textOf("p"))] : [];
  const updateValue = [
    ...access.position,
    ...perElement,
    ...stored.filter(({ name }) => name !== "p").map(({ name, text }) => access.store(name, text)),
    ...reduction.perElement(textOf),
    ...(layout.mask && storesParameter
      ? [
          `if (selected || unselected == ${unselectedRowsCode.zero}u) {`,
          ...storeParameter.map((line) => `  ${line}`),
          "}",
        ]
      : storeParameter),
  ];
  const updateElement = isGrouped(layout)
    ? [
        ...groupLines,
        ...access.rowOfGradients,
        ...(updateValue.length > access.position.length || layout.clears
          ? isInGroupLoop(layout)
            ? groupLoop(updateValue)
            : [
                "for (var value_index = first; value_index < last; value_index++) {",
                ...updateValue.map((line) => `  ${line}`),
                "}",
              ]
          : []),
        ...copyLines(kernel, layout, access),
      ]
    : ["let value_index = i;", ...updateValue];
  const derives = layout.activates && arrays.some(({ name }) => name === "g");

  const skips = layout.mask ? ", skips rows whose mask is 0" : "";
  const isListed = layout.list ? ", listed rows only" : "";
  const fills = layout.copies > 0 ? ", fills copies of p" : "";
  return ruleModule({
    kernel,
    how: `by rows${skips}${isListed}${fills}`,
    value: "f32",
    parameters,
    bindings: access.bindings,
    declarations: [
      ...functionDeclarations(kernel, "f32"),
      ...access.functions,
      ...activationFunctions(layout.copies > 0, derives),
      ...copyFunctions(kernel, layout),
      ...reduction.declarations,
    ],
    body: [
      ...perDispatch,
      ...reduction.beforeLoop,
      ...elementLoop(reductions.length > 0 ? "break" : "return"),
      ...indented(updateElement),
      "}",
      ...reduction.afterLoop,
    ],
  });
}
