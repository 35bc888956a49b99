import type { UnselectedRows, Variant } from "@gradstep/core";
import {
  arrayBindingsOf,
  entryHeaderLength,
  firstArrayBinding,
  type RowKernelLayout,
} from "./kernel-layout.js";
import { kernelBodyOf } from "./wgsl-emitter.js";
import {
  elementLoop,
  entryPoint,
  functionDeclarations,
  packedFloat16,
  tableAndScalars,
  typeDeclarations,
} from "./wgsl-fragments.js";

/**
 * Parameters of a segment of rows in the table, before the starts of `p` and the slots. Starts are positions of the
 * segment's first row in the bindings; strides are distances between rows. Those of gradients count units of two bytes,
 * those of masks and mirrors count words.
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

/** What happens to unselected rows, as a number in the table. */
export const unselectedRowsCode: Readonly<Record<UnselectedRows, number>> = {
  keep: 0,
  decay: 1,
  zero: 2,
};

const gradientFunction = (array: string): readonly string[] => [
  "fn gradient(index: u32, unit: u32) -> f32 {",
  `  let word = ${array}[index / 2u];`,
  "  return select(bitcast<f32>(word), unpack2x16float(word)[index % 2u], unit == 1u);",
  "}",
  "",
];

/**
 * A WGSL module that updates tensors by rows; its entry point is `update`. Gradients can start anywhere and can be
 * packed f16, rows can be left out by a mask, and the parameter can have a packed f16 mirror. It computes the same as
 * `emitDenseKernel`.
 *
 * With a mirror, an element is the values that share one of its words, so that no other invocation writes to that word.
 */
export function emitRowKernel(variant: Variant, layout: RowKernelLayout): string {
  const { label, slots } = variant;
  const names = ["p", ...slots.map(({ name }) => name)];
  const parameters = [...rowParameterNames, ...names.map((name) => `start_${name}`)];
  // A binding that holds parameters and gradients is an array of words.
  const isShared = layout.gradients === "shared-binding";
  const load = (name: string): string => {
    if (name === "g") {
      const value =
        "gradient(gradient_start + row * gradient_stride + column * gradient_unit, gradient_unit)";
      return layout.mask ? `select(0.0, ${value}, selected)` : value;
    }
    const value = `all_${name}[start_${name} + value_index]`;
    return name === "p" && isShared ? `bitcast<f32>(${value})` : value;
  };
  const { perDispatch, perElement, results } = kernelBodyOf(variant, load);
  const store = (name: string, text: string): string =>
    `all_${name}[start_${name} + value_index] = ${name === "p" && isShared ? `bitcast<u32>(${text})` : text};`;
  const parameter = results.find(({ name }) => name === "p")!;
  const type = (name: string): string => {
    const words = ["all_g", "row_mask", "row_mirror", ...(isShared ? ["all_p"] : [])];
    return words.includes(name) ? "u32" : "f32";
  };

  const storeParameter = [
    store("p", parameter.text),
    ...(layout.mirror
      ? [
          `word |= ${packedFloat16(parameter.text)} << (16u * half);`,
          "kept_bits &= ~(0xffffu << (16u * half));",
        ]
      : []),
  ];
  const updateValue = [
    "let row = value_index / columns;",
    "let column = value_index % columns;",
    ...(layout.mask
      ? [
          "let selected = row_mask[mask_start + row * mask_stride] != 0u;",
          `if (!selected && unselected == ${unselectedRowsCode.keep}u) { continue; }`,
        ]
      : []),
    ...perElement,
    ...results.filter(({ name }) => name !== "p").map(({ name, text }) => store(name, text)),
    ...(layout.mask
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
    `// ${label}: updates ${names.join(", ")} from g, by rows${layout.mask ? ", skips rows whose mask is 0" : ""}${layout.mirror ? ", packs a mirror of p" : ""}.`,
    ...typeDeclarations(variant, "f32"),
    "// The number of tiles; for each tile, the index of its segment's entry; then the entries: first tile, element",
    `// count, index of the scalars, ${parameters.join(", ")}.`,
    ...tableAndScalars,
    ...arrayBindingsOf(variant, layout).map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<${type(name)}>;`,
    ),
    "",
    ...functionDeclarations(variant),
    ...gradientFunction(isShared ? "all_p" : "all_g"),
    ...entryPoint,
    "  let scalar_set = table[entry + 2u];",
    ...parameters.map((name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`),
    ...perDispatch.map((line) => `  ${line}`),
    ...elementLoop,
    ...updateElement.map((line) => `    ${line}`),
    "  }",
    "}",
    "",
  ].join("\n");
}
