import { entryHeaderLength, type RowKernelLayout } from "./kernel-layout.js";
import { purposeOf, type KernelProgram } from "./kernel-program.js";
import {
  listParameterNames,
  matrixParameterNames,
  readsMatrices,
  rowAccessOf,
  rowParameterNames,
  startParametersOf,
  unselectedRowsCode,
} from "./row-access.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import {
  elementLoop,
  entryPoint,
  functionDeclarations,
  packedFloat16,
  tableAndScalars,
  typeDeclarations,
} from "./wgsl-fragments.js";
import { workgroupReductionOf } from "./workgroup-reduction.js";

/**
 * A WGSL module that updates tensors by rows; its entry point is `update`. Gradients can start anywhere and can be
 * packed f16, rows can be left out by a mask, and the parameter can have a packed f16 mirror. It computes the same as
 * `emitDenseKernel`. Values per row and column can be read as well.
 *
 * With a mirror, an element is the values that share one of its words, so that no other invocation writes to that word.
 */
export function emitRowKernel(kernel: KernelProgram, layout: RowKernelLayout): string {
  const { label, reductions } = kernel;
  const reduction = workgroupReductionOf(kernel, 1);
  const access = rowAccessOf(kernel, layout);
  const parameters = [
    ...rowParameterNames,
    ...startParametersOf(kernel),
    ...(readsMatrices(kernel) ? matrixParameterNames : []),
    ...(layout.list ? listParameterNames : []),
    ...reduction.parameters,
  ];
  const { perDispatch, perElement, results } = kernelBodyOf(kernel, access.load);
  const stored = results.filter(({ name }) => reductions.every((one) => one.name !== name));
  const textOf = (name: string): string => results.find((one) => one.name === name)!.text;
  const storesParameter = stored.some(({ name }) => name === "p");
  const storeParameter = storesParameter
    ? [
        access.store("p", textOf("p")),
        ...(layout.mirror
          ? [
              `word |= ${packedFloat16(textOf("p"))} << (16u * half);`,
              "kept_bits &= ~(0xffffu << (16u * half));",
            ]
          : []),
      ]
    : [];
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
  const updateElement = layout.mirror
    ? [
        "let pairs = (line_length + 1u) / 2u;",
        "let line = i / pairs;",
        "let first = i % pairs * 2u;",
        "let mirror_index = line_start + line * line_stride + first / 2u;",
        "var word = 0u;",
        "// Bits of the word that are not written. The last value of a line may share its word with other data.",
        "var kept_bits = 0xffffffffu;",
        "for (var half = 0u; half < 2u; half++) {",
        "  if (first + half >= line_length) { break; }",
        "  let value_index = line * line_length + first + half;",
        ...updateValue.map((line) => `  ${line}`),
        "}",
        "if (kept_bits == 0u) {",
        "  row_mirror[mirror_index] = word;",
        "} else if (kept_bits != 0xffffffffu) {",
        "  row_mirror[mirror_index] = word | (row_mirror[mirror_index] & kept_bits);",
        "}",
      ]
    : ["let value_index = i;", ...updateValue];

  return [
    `// ${label}: ${purposeOf(kernel)}, by rows${layout.mask ? ", skips rows whose mask is 0" : ""}${layout.list ? ", listed rows only" : ""}${layout.mirror ? ", packs a mirror of p" : ""}.`,
    ...typeDeclarations(kernel, "f32"),
    "// The number of tiles; for each tile, the index of its segment's entry; then the entries: first tile, element",
    `// count, index of the scalars, ${parameters.join(", ")}.`,
    ...tableAndScalars,
    ...access.bindings,
    "",
    ...functionDeclarations(kernel, "f32"),
    ...access.functions,
    ...reduction.declarations,
    ...entryPoint,
    "  let scalar_set = table[entry + 2u];",
    ...parameters.map((name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`),
    ...perDispatch.map((line) => `  ${line}`),
    ...reduction.beforeLoop.map((line) => `  ${line}`),
    ...elementLoop(reductions.length > 0 ? "break" : "return"),
    ...updateElement.map((line) => `    ${line}`),
    "  }",
    ...reduction.afterLoop.map((line) => `  ${line}`),
    "}",
    "",
  ].join("\n");
}
