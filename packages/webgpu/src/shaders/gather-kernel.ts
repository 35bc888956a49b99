import { tableBinding } from "./kernel-layout.js";
import { elementLoop, entryPoint, indented } from "./wgsl-fragments.js";

/**
 * Parameters of a segment of rows in the table. Starts are positions in the bindings, and strides are distances between
 * rows, both in words.
 */
export const gatherParameterNames = [
  "columns",
  "target_start",
  /** The positions of the segment's first row. */
  "index_start",
  "index_stride",
  "reset_start",
  "reset_stride",
  /** The first row of the segment. */
  "first_row",
  "rows_before",
  /** A value of `resetCode`. */
  "reset_mode",
  /** A value of `gatherCode`. */
  "gather_mode",
  /** Where the number of new rows that can have a source is stored; `noLimit` if all can. */
  "limit_start",
  /** The bits of an f32. */
  "initial",
  "source_stride",
  /** The words of the source that are bound, counted from its first: from the first to before the second. */
  "source_low",
  "source_high",
  /** The position of the first of these words in its binding. */
  "source_start",
] as const;

export type GatherParameters = Record<(typeof gatherParameterNames)[number], number>;

/** In place of the position of a limit. */
export const noLimit = 0xffff_ffff;

/** Which rows are reset, as a number in the table. */
export const resetCode = { added: 0, flagged: 1, all: 2 } as const;

/**
 * Which rows a segment writes, as a number in the table. `keptAndReset`: all; those that are reset get the initial value.
 * `kept`: only those that are kept. `resetFromSource`: only those that are reset, from the rows where the indices point.
 * `resetFromMoved`: only those that are reset, from the same rows of a source whose rows have been moved already.
 */
export const gatherCode = {
  keptAndReset: 0,
  kept: 1,
  resetFromSource: 2,
  resetFromMoved: 3,
} as const;

/** The arrays that are bound after the table, in order. */
export const gatherArrays = [
  { name: "indices", access: "read" },
  { name: "reset_rows", access: "read" },
  { name: "limits", access: "read" },
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
  ...entryPoint(gatherParameterNames),
  ...indented(elementLoop()),
  "    let row = i / columns;",
  "    var source_row = all_indices[index_start + row * index_stride];",
  "    var has_source = source_row < rows_before;",
  `    if (limit_start != ${noLimit}u) {`,
  "      has_source = has_source && first_row + row < all_limits[limit_start];",
  "    }",
  `    var is_reset = !has_source || reset_mode == ${resetCode.all}u;`,
  `    if (reset_mode == ${resetCode.flagged}u) {`,
  "      is_reset = is_reset || all_reset_rows[reset_start + row * reset_stride] != 0u;",
  "    }",
  `    if (gather_mode >= ${gatherCode.resetFromSource}u) {`,
  "      if (!is_reset) { continue; }",
  `      if (gather_mode == ${gatherCode.resetFromMoved}u) {`,
  "        source_row = first_row + row;",
  "        has_source = true;",
  "      }",
  "    } else if (is_reset) {",
  "      has_source = false;",
  "    }",
  "    if (!has_source) {",
  `      if (source_low == 0u && gather_mode != ${gatherCode.kept}u) { all_target[target_start + i] = initial; }`,
  "      continue;",
  "    }",
  "    let source_index = source_row * source_stride + i % columns;",
  "    if (source_index >= source_low && source_index < source_high) {",
  "      all_target[target_start + i] = all_source[source_start + source_index - source_low];",
  "    }",
  "  }",
  "}",
  "",
].join("\n");
