import { activationFunctions } from "./activation-functions.js";
import { copyFunctions, copyLines, groupLines } from "./copy-lines.js";
import { tableBinding, type RowKernelLayout } from "./kernel-layout.js";
import { emptyKernel } from "./kernel-program.js";
import { bindingDeclarations, rowAccessOf } from "./row-access.js";
import { copyParameterNames, rowParameterNames, startParameterNames } from "./row-parameters.js";
import { elementLoop, entryPoint, indented } from "./wgsl-fragments.js";

/** The kernel of which only the copies are filled. */
export const copyProgram = emptyKernel("copy", []);

/** A WGSL module that fills copies; its entry point is `update`. */
export function emitCopyKernel(layout: RowKernelLayout): string {
  const parameters = [
    ...rowParameterNames(layout),
    ...startParameterNames(copyProgram, layout),
    ...copyParameterNames(layout),
  ];
  return [
    "// Fills copies of values.",
    `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
    ...bindingDeclarations(copyProgram, layout, tableBinding + 1),
    "",
    ...activationFunctions(true, false),
    ...copyFunctions(copyProgram, layout),
    ...entryPoint(parameters),
    ...indented(elementLoop()),
    ...groupLines.map((line) => `    ${line}`),
    ...copyLines(copyProgram, layout, rowAccessOf(copyProgram, layout)).map(
      (line) => `    ${line}`,
    ),
    "  }",
    "}",
    "",
  ].join("\n");
}
