import { entryHeaderLength, tableBinding } from "./kernel-layout.js";
import { elementLoop, entryPoint } from "./wgsl-fragments.js";

/**
 * Parameters of a segment of rows in the table. Starts are positions of the segment's first row in the bindings, and
 * strides are distances between rows, both in words.
 */
export const gatherParameterNames = [
  "columns",
  /** The number of values; the elements after them are padding, and become 0. */
  "value_count",
  "target_start",
  "index_start",
  "index_stride",
  "reset_start",
  "reset_stride",
  "rows_before",
  /** The bits of an f32. */
  "initial",
  /** A value of `resetCode`. */
  "reset_mode",
  /** The values of the source tensor that are bound: from the first to before the second. */
  "source_low",
  "source_high",
  /** The position of the first of these values in its binding. */
  "source_start",
] as const;

export type GatherParameters = Record<(typeof gatherParameterNames)[number], number>;

/** Which rows get the initial value, as a number in the table. */
export const resetCode = { added: 0, flagged: 1, all: 2 } as const;

/** Declares `source_row` and `is_reset`: whether `row` gets the initial value. */
export const isResetLines: readonly string[] = [
  "    let source_row = all_indices[index_start + row * index_stride];",
  `    var is_reset = source_row >= rows_before || reset_mode == ${resetCode.all}u;`,
  `    if (reset_mode == ${resetCode.flagged}u) {`,
  "      is_reset = is_reset || all_reset_rows[reset_start + row * reset_stride] != 0u;",
  "    }",
];

/** The arrays that are bound after the table, in order. */
export const gatherArrays = [
  { name: "indices", access: "read" },
  { name: "reset_rows", access: "read" },
  { name: "source", access: "read" },
  { name: "target", access: "read_write" },
] as const;

/**
 * A WGSL module that gathers rows; its entry point is `update`. Row `i` of the target becomes row `indices[i]` of the
 * source, or the initial value. Values are copied as words, so that no bit changes. A source that is larger than a
 * binding is bound in several parts, one per segment; the segment of the first part writes the initial values.
 */
export const gatherKernel: string = [
  "// Gathers rows: row i becomes row indices[i], or the initial value.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...gatherArrays.map(
    ({ name, access }, i) =>
      `@group(0) @binding(${1 + i}) var<storage, ${access}> all_${name}: array<u32>;`,
  ),
  "",
  ...entryPoint,
  ...gatherParameterNames.map(
    (name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`,
  ),
  ...elementLoop(),
  "    let row = i / columns;",
  "    if (i >= value_count) {",
  "      all_target[target_start + i] = 0u;",
  "      continue;",
  "    }",
  ...isResetLines,
  "    if (is_reset) {",
  "      if (source_low == 0u) { all_target[target_start + i] = initial; }",
  "      continue;",
  "    }",
  "    let source_index = source_row * columns + i % columns;",
  "    if (source_index >= source_low && source_index < source_high) {",
  "      all_target[target_start + i] = all_source[source_start + source_index - source_low];",
  "    }",
  "  }",
  "}",
  "",
].join("\n");
