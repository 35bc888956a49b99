import { firstArrayBinding, tableBinding, type ArrayBinding } from "./kernel-layout.js";
import { elementLoop, entryPoint, indented } from "./wgsl-fragments.js";

/** Words per entry of a list of rows: the row, the row of its gradient, and the next entry whose gradient is added. */
export const listEntryWords = 3;

/** Stands for no row or no entry. Entries without a row are skipped. */
export const noEntry = 0xffff_ffff;

/** Parameters of a list in the table. Positions are those in the bindings, in words. */
export const rowListParameterNames = [
  "index_start",
  /** The distance between indices. */
  "index_stride",
  "list_start",
  /** Where the first entry of each row is put, and the number of rows: 0 if that is not needed. */
  "first_entries",
  "rows",
  /** Not 0 to set the first entries of all rows to none, before the list is made. */
  "is_reset",
] as const;

export type RowListParameters = Record<(typeof rowListParameterNames)[number], number>;

/** The arrays that are bound after the table, in order. */
export const rowListArrays: readonly ArrayBinding[] = [
  { name: "indices", access: "read" },
  { name: "row_list", access: "read_write" },
];

/**
 * A WGSL module that makes lists of rows from indices; its entry point is `update`. Only the first entry of an index has
 * its row; the entries with the same index follow each other in ascending order, so that sums do not depend on the order
 * of execution. Each invocation compares an index with all others.
 */
export const rowListKernel: string = [
  "// Makes lists of rows: (row, or none if the index has occurred before; row of the gradient; next entry of the index).",
  `@group(0) @binding(${tableBinding}) var<storage, read> table: array<u32>;`,
  ...rowListArrays.map(
    ({ name, access }, i) =>
      `@group(0) @binding(${firstArrayBinding + i}) var<storage, ${access}> ${name}: array<u32>;`,
  ),
  "",
  ...entryPoint(rowListParameterNames),
  ...indented(elementLoop()),
  `    if (is_reset != 0u) { row_list[first_entries + i] = ${noEntry}u; continue; }`,
  "    let row = indices[index_start + i * index_stride];",
  "    var is_first = true;",
  "    for (var k = 0u; k < i && is_first; k++) {",
  "      is_first = indices[index_start + k * index_stride] != row;",
  "    }",
  "    var next = i + 1u;",
  "    while (next < count && indices[index_start + next * index_stride] != row) { next++; }",
  `    let listed = list_start + i * ${listEntryWords}u;`,
  `    row_list[listed] = select(${noEntry}u, row, is_first);`,
  "    row_list[listed + 1u] = i;",
  `    row_list[listed + 2u] = select(${noEntry}u, next, next < count);`,
  "    if (is_first && row < rows) { row_list[first_entries + row] = i; }",
  "  }",
  "}",
  "",
].join("\n");
