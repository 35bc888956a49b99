import { entryPoint, turn } from "./wgsl-emitter.js";
import { entryHead, tableBinding } from "./kernel-layout.js";

/**
 * What the table says of some rows of a tensor after its head. Positions are those of the first row in what is bound,
 * in words, as are steps, from one row to the next.
 */
export const gatherNumbers = [
  "columns",
  /** Of so many elements; those beyond only pad, and are 0. */
  "values",
  "target_at",
  "index_at",
  "index_step",
  "fresh_at",
  "fresh_step",
  "rows_before",
  /** As bits. */
  "initial",
  /** How `RowMove.anew` has it. */
  "anew",
  /** Which values of the tensor are bound, from this one to before that one, and where the first of them is. */
  "window_low",
  "window_high",
  "source_at",
] as const;

/** What the numbers of some rows are called. */
export type GatherNumbers = Record<(typeof gatherNumbers)[number], number>;

/** Which rows begin anew, as the table has it. */
export const resetCode = { added: 0, flagged: 1, all: 2 } as const;

/** What is bound after the table, in order. */
export const gatherArrays = [
  { name: "indices", access: "read" },
  { name: "fresh", access: "read" },
  { name: "source", access: "read" },
  { name: "target", access: "read_write" },
] as const;

/**
 * A WGSL module with one entry point, `update`: row `i` of a tensor becomes what row `indices[i]` was. Values are moved
 * as words, so that no bit of them changes. A tensor that is larger than a binding is seen through several windows; the
 * first of them writes the rows that begin anew.
 */
export const gatherText: string = [
  "// Gathers rows: row i becomes what row indices[i] was, or begins anew.",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...gatherArrays.map(
    ({ name, access }, i) =>
      `@group(0) @binding(${1 + i}) var<storage, ${access}> all_${name}: array<u32>;`,
  ),
  "",
  ...entryPoint,
  ...gatherNumbers.map((name, k) => `  let ${name} = table[entry + ${entryHead + k}u];`),
  ...turn,
  "    let row = i / columns;",
  "    if (i >= values) {",
  "      all_target[target_at + i] = 0u;",
  "      continue;",
  "    }",
  "    let before = all_indices[index_at + row * index_step];",
  `    var begins = before >= rows_before || anew == ${resetCode.all}u;`,
  `    if (anew == ${resetCode.flagged}u) { begins = begins || all_fresh[fresh_at + row * fresh_step] != 0u; }`,
  "    if (begins) {",
  "      if (window_low == 0u) { all_target[target_at + i] = initial; }",
  "      continue;",
  "    }",
  "    let at = before * columns + i % columns;",
  "    if (at >= window_low && at < window_high) {",
  "      all_target[target_at + i] = all_source[source_at + at - window_low];",
  "    }",
  "  }",
  "}",
  "",
].join("\n");
