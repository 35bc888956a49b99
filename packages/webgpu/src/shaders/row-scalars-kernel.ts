import { controlWords } from "./control-block.js";
import { firstArrayBinding, tableBinding, type ArrayBinding } from "./kernel-layout.js";
import { listEntryWords, noEntry } from "./row-list-kernel.js";
import { elementLoop, entryPoint, indented } from "./wgsl-fragments.js";

/** Words of a list before the starts of scalars: the first step, and the sets per step. */
export const rowScalarsHeaderLength = 2;

/** Parameters in the table. Positions are those in the bindings, in words. */
export const rowScalarsParameterNames = [
  "counts_start",
  /** Of the list: its first entry, the starts of the scalars of each entry, after the header, and the first set. */
  "list_start",
  "scalar_starts",
  "sets_start",
  "set_length",
] as const;

export type RowScalarsParameters = Record<(typeof rowScalarsParameterNames)[number], number>;

/** The arrays that are bound after the table, in order. */
export const rowScalarsArrays: readonly ArrayBinding[] = [
  { name: "control", access: "read" },
  { name: "counts", access: "read_write" },
  { name: "row_list", access: "read_write" },
];

/**
 * A WGSL module for lists of rows that count their own steps, in a step that is taken: it replaces the offset of each entry
 * by the start of the scalars for the steps that its row has taken, and counts this one. Its entry point is `update`.
 */
export const rowScalarsKernel: string = [
  "// Finds the scalars of each row by the steps that it has taken, and counts a step.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...rowScalarsArrays.map(
    ({ name, access }, i) =>
      `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<u32>;`,
  ),
  "",
  ...entryPoint(rowScalarsParameterNames),
  `  let header = scalar_starts - ${rowScalarsHeaderLength}u;`,
  `  let step = control[${controlWords.steps}] + 1u;`,
  "  let first_set = (step - row_list[header]) * row_list[header + 1u];",
  ...indented(elementLoop()),
  `    let row = row_list[list_start + i * ${listEntryWords}u];`,
  `    if (row == ${noEntry}u) { continue; }`,
  "    let taken = counts[counts_start + row];",
  "    let index = first_set + row_list[scalar_starts + i] + taken;",
  "    row_list[scalar_starts + i] = sets_start + index * set_length;",
  "    counts[counts_start + row] = taken + 1u;",
  "  }",
  "}",
  "",
].join("\n");
