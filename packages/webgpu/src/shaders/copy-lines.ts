import { boundedNorm, activationCode } from "./activation-functions.js";
import type { RowKernelLayout } from "./kernel-layout.js";
import type { KernelProgram } from "./kernel-program.js";
import { rowBindingOf, copyName } from "./row-bindings.js";
import type { RowAccess } from "./row-access.js";
import { storeFloat, storeWord } from "./binding-access.js";
import { copyParameterName, unselectedRowsCode } from "./row-parameters.js";
import { packedFloat16 } from "./wgsl-fragments.js";

/** Declares the values of a group: those of a line from `first` to before `last`. */
export const groupLines: readonly string[] = [
  "let groups = (line_length + group_length - 1u) / group_length;",
  "let line = i / groups;",
  "let first = line * line_length + i % groups * group_length;",
  "let last = min(first + group_length, (line + 1u) * line_length);",
];

/**
 * A loop over the values of a group, which declares `value_index`, `row` and `column`: without a division per value.
 * Lines may end in `continue`.
 */
export function groupLoop(lines: readonly string[]): readonly string[] {
  return [
    "{",
    "  var row = first / columns;",
    "  var column = first - row * columns;",
    "  var value_index = first;",
    "  loop {",
    "    if (value_index >= last) { break; }",
    ...lines.map((line) => `    ${line}`),
    "    continuing {",
    "      value_index++;",
    "      column++;",
    "      if (column == columns) { column = 0u; row++; }",
    "    }",
    "  }",
    "}",
  ];
}

/**
 * Fills the copies of a group of values with what is in the parameter, after it was updated. An f16 is written with its
 * neighbor if both are in the group, otherwise by atomic operations, which keep the other half of the word.
 */
export function copyLines(
  kernel: KernelProgram,
  layout: RowKernelLayout,
  { loadParameter, isSelected }: Pick<RowAccess, "loadParameter" | "isSelected">,
): readonly string[] {
  const mask =
    isSelected === undefined
      ? []
      : [`if (unselected != ${unselectedRowsCode.zero}u && !(${isSelected})) { continue; }`];
  return Array.from({ length: layout.copies }, (_, c) => {
    const [kind, scale, offset, start, stride, unit] = (
      ["activation", "scale", "offset", "start", "stride", "unit"] as const
    ).map((name) => copyParameterName(c, name));
    const { name, type } = rowBindingOf(kernel, layout, copyName(c));
    const flush = `write_half${c}(at, word, written);`;
    return [
      `if (${kind} != 0u) {`,
      `  var scale = bitcast<f32>(${scale});`,
      `  if (${kind} == ${activationCode.normalize}u) {`,
      "    let row = first / columns;",
      "    var squares = 0.0;",
      "    for (var k = 0u; k < columns; k++) {",
      `      let x = ${loadParameter("row", "k")};`,
      "      squares += x * x;",
      "    }",
      `    scale = ${boundedNorm("squares")};`,
      "  }",
      ...(layout.halves ? ["  var at = 0u;", "  var word = 0u;", "  var written = 0u;"] : []),
      ...groupLoop([
        ...mask,
        `let copied = activate(${loadParameter("row", "column")}, ${kind}, scale, bitcast<f32>(${offset}));`,
        `let index = ${start} + row * ${stride} + column * ${unit};`,
        ...(layout.halves
          ? [
              `if (${unit} == 2u) {`,
              `  ${storeFloat({ name, type }, "index / 2u", "copied")}`,
              "  continue;",
              "}",
              "if (index / 2u != at) {",
              `  ${flush}`,
              "  at = index / 2u;",
              "  word = 0u;",
              "  written = 0u;",
              "}",
              `word |= ${packedFloat16("copied")} << (16u * (index % 2u));`,
              "written |= 0xffffu << (16u * (index % 2u));",
            ]
          : [storeFloat({ name, type }, "index / 2u", "copied")]),
      ]).map((line) => `  ${line}`),
      ...(layout.halves ? [`  ${flush}`] : []),
      "}",
    ];
  }).flat();
}

/** The functions that write the words of f16 copies. */
export function copyFunctions(kernel: KernelProgram, layout: RowKernelLayout): readonly string[] {
  if (!layout.halves) return [];
  return Array.from({ length: layout.copies }, (_, c) => {
    const { name, type } = rowBindingOf(kernel, layout, copyName(c));
    return [
      `fn write_half${c}(at: u32, word: u32, written: u32) {`,
      "  if (written == 0xffffffffu) {",
      `    ${storeWord({ name, type }, "at", "word")}`,
      "  } else if (written != 0u) {",
      `    atomicAnd(&${name}[at], ~written);`,
      `    atomicOr(&${name}[at], word);`,
      "  }",
      "}",
      "",
    ];
  }).flat();
}
