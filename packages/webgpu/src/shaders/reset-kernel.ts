import { isResetLines } from "./gather-kernel.js";
import { entryHeaderLength, tableBinding } from "./kernel-layout.js";
import { elementLoop, entryPoint } from "./wgsl-fragments.js";

/**
 * Parameters of a segment of rows in the table. Starts are positions of the segment's first row in the bindings, and
 * strides are distances between rows, both in words.
 */
export const resetParameterNames = [
  "columns",
  "target_start",
  "source_start",
  "index_start",
  "index_stride",
  "reset_start",
  "reset_stride",
  "rows_before",
  /** A value of `resetCode`. */
  "reset_mode",
] as const;

export type ResetParameters = Record<(typeof resetParameterNames)[number], number>;

/** The arrays that are bound after the table, in order. */
export const resetArrays = [
  { name: "indices", access: "read" },
  { name: "reset_rows", access: "read" },
  { name: "source", access: "read" },
  { name: "target", access: "read_write" },
] as const;

/** A WGSL module that copies the rows that are reset from another tensor; its entry point is `update`. */
export const resetKernel: string = [
  "// Copies the rows that are reset from another tensor with the same rows.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...resetArrays.map(
    ({ name, access }, i) =>
      `@group(0) @binding(${1 + i}) var<storage, ${access}> all_${name}: array<u32>;`,
  ),
  "",
  ...entryPoint,
  ...resetParameterNames.map(
    (name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`,
  ),
  ...elementLoop(),
  "    let row = i / columns;",
  ...isResetLines,
  "    if (is_reset) { all_target[target_start + i] = all_source[source_start + i]; }",
  "  }",
  "}",
  "",
].join("\n");
