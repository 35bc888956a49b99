import { listEntryWords, noEntry } from "./row-list-kernel.js";
import type { RowKernelLayout } from "./kernel-layout.js";
import { scaledGradient, type KernelProgram } from "./kernel-program.js";
import type { RowBinding } from "./row-bindings.js";
import { gradientTypeCode } from "./row-parameters.js";
import { activationCode, boundedNorm } from "./activation-functions.js";
import { loadWord, storeWord } from "./binding-access.js";

/** The position of a gradient in its binding, in units of two bytes. */
export function gradientIndexOf(row: string, column: string): string {
  return `gradient_start + ${row} * gradient_stride + ${column} * gradient_unit`;
}

/** The value of a gradient. */
export function gradientCall(index: string, { fixedPoint }: RowKernelLayout): string {
  return `gradient(${index}, gradient_unit${fixedPoint === "none" ? "" : ", gradient_type, bitcast<f32>(gradient_scale)"})`;
}

/** Declares the function that `gradientCall` calls. */
export function gradientFunction(
  binding: RowBinding,
  { fixedPoint }: RowKernelLayout,
): readonly string[] {
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
export function clearFunction(binding: RowBinding): readonly string[] {
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

/** The scale that `chain_rule` gets: that of the activation, or for `normalize` the norm of the row. */
export const chainScale = `select(bitcast<f32>(activation_scale), row_norm, gradient_activation == ${activationCode.normalize}u)`;

/** The norm of the parameter's row, and the product of the gradient with the normalized row. */
export function rowOfGradients(
  kernel: KernelProgram,
  loadParameter: (row: string, column: string) => string,
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

/** The gradients of an entry and of those that follow it, added in this order. */
export function listedGradient(layout: RowKernelLayout): readonly string[] {
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
