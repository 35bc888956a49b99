import type { UnselectedRows, Variant } from "@gradstep/core";
import { arraysOf, entryHead, firstArrayBinding, type RowForm } from "./kernel-layout.js";
import {
  bodyOf,
  entryPoint,
  functionsOf,
  headOf,
  packedHalf,
  tableAndScalars,
  turn,
} from "./wgsl-emitter.js";

/**
 * What the table says of a range of rows after its head, before the positions of `p` and the slots. Positions are those
 * of its first row in what is bound, and steps those from one row to the next: of gradients in units of two bytes, of
 * masks and of copies in words.
 */
export const rowNumbers = [
  "columns",
  /** 1 where a gradient is f16; 2 where it is f32, which begins at an even position. */
  "g_unit",
  "g_at",
  "g_step",
  /** How `unselectedRows` has it. */
  "others",
  "mask_at",
  "mask_step",
  /** A copy without gaps is one line; of any other, each row is one. */
  "line_length",
  "line_at",
  "line_step",
] as const;

/** What the numbers of a range are called. */
export type RowNumbers = Record<(typeof rowNumbers)[number], number>;

/** What happens to rows that are left out, as the table has it. */
export const unselectedRowsCode: Readonly<Record<UnselectedRows, number>> = {
  keep: 0,
  decay: 1,
  zero: 2,
};

const gradientText = (from: string): readonly string[] => [
  "fn gradient(at: u32, unit: u32) -> f32 {",
  `  let word = ${from}[at / 2u];`,
  "  return select(bitcast<f32>(word), unpack2x16float(word)[at % 2u], unit == 1u);",
  "}",
  "",
];

/**
 * A variant as a WGSL module with one entry point, `update`, for tensors with rows: gradients may lie anywhere and be
 * packed f16, rows may be left out, and the parameter may have a packed f16 copy. It computes what `emitWgsl`'s does.
 *
 * An element is a value or, where there is a copy, the values that share a word of it, so that no other invocation
 * writes to that word.
 */
export function emitRows(variant: Variant, form: RowForm): string {
  const { label, slots } = variant;
  const names = ["p", ...slots.map(({ name }) => name)];
  const numbers = [...rowNumbers, ...names.map((name) => `at_${name}`)];
  // Where gradients are in the parameters' binding, that holds words, too.
  const isJoined = form.gradients === "joined";
  const load = (name: string): string => {
    if (name === "g") {
      const value = "gradient(g_at + row * g_step + column * g_unit, g_unit)";
      return form.mask ? `select(0.0, ${value}, stepped)` : value;
    }
    const value = `all_${name}[at_${name} + value]`;
    return name === "p" && isJoined ? `bitcast<f32>(${value})` : value;
  };
  const { before, element, results } = bodyOf(variant, load);
  const store = (name: string, text: string): string =>
    `all_${name}[at_${name} + value] = ${name === "p" && isJoined ? `bitcast<u32>(${text})` : text};`;
  const parameter = results.find(({ name }) => name === "p")!;
  const type = (name: string): string => {
    const words = ["all_g", "row_mask", "row_copy", ...(isJoined ? ["all_p"] : [])];
    return words.includes(name) ? "u32" : "f32";
  };

  const updated = [
    store("p", parameter.text),
    ...(form.copy
      ? [
          `word |= ${packedHalf(parameter.text)} << (16u * half);`,
          "kept &= ~(0xffffu << (16u * half));",
        ]
      : []),
  ];
  const value = [
    "let row = value / columns;",
    "let column = value % columns;",
    ...(form.mask
      ? [
          "let stepped = row_mask[mask_at + row * mask_step] != 0u;",
          `if (!stepped && others == ${unselectedRowsCode.keep}u) { continue; }`,
        ]
      : []),
    ...element,
    ...results.filter(({ name }) => name !== "p").map(({ name, text }) => store(name, text)),
    ...(form.mask
      ? [
          `if (stepped || others == ${unselectedRowsCode.zero}u) {`,
          ...updated.map((line) => `  ${line}`),
          "}",
        ]
      : updated),
  ];
  const loop = form.copy
    ? [
        "let pairs = (line_length + 1u) / 2u;",
        "let line = i / pairs;",
        "let first = i % pairs * 2u;",
        "let word_at = line_at + line * line_step + first / 2u;",
        "var word = 0u;",
        "// What else is in the word: the last row may leave half of it to somebody else.",
        "var kept = 0xffffffffu;",
        "for (var half = 0u; half < 2u; half++) {",
        "  if (first + half >= line_length) { break; }",
        "  let value = line * line_length + first + half;",
        ...value.map((line) => `  ${line}`),
        "}",
        "if (kept == 0u) {",
        "  row_copy[word_at] = word;",
        "} else if (kept != 0xffffffffu) {",
        "  row_copy[word_at] = word | (row_copy[word_at] & kept);",
        "}",
      ]
    : ["let value = i;", ...value];

  return [
    `// ${label}: updates ${names.join(", ")} from g, by rows${form.mask ? ", without those that the mask leaves out" : ""}${form.copy ? ", and packs a copy of p" : ""}.`,
    ...headOf(variant, "f32"),
    "// The number of tiles; the range of each, as a position in this table; then, for each range: its first tile, the",
    `// number of its elements, whose scalars it takes; ${numbers.join(", ")}.`,
    ...tableAndScalars,
    ...arraysOf(variant, form).map(
      ({ name, access }, i) =>
        `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<${type(name)}>;`,
    ),
    "",
    ...functionsOf(variant),
    ...gradientText(isJoined ? "all_p" : "all_g"),
    ...entryPoint,
    "  let own = table[entry + 2u];",
    ...numbers.map((name, k) => `  let ${name} = table[entry + ${entryHead + k}u];`),
    ...before.map((line) => `  ${line}`),
    ...turn,
    ...loop.map((line) => `    ${line}`),
    "  }",
    "}",
    "",
  ].join("\n");
}
