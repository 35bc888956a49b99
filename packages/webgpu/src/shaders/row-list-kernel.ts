import { listEntryWords, noEntry } from "../planning/row-list.js";
import {
  entryHeaderLength,
  firstArrayBinding,
  tableBinding,
  type ArrayBinding,
} from "./kernel-layout.js";
import { elementLoop, entryPoint } from "./wgsl-fragments.js";

/** Parameters of a list in the table: positions in the bindings, in words, and the distance between indices. */
export const rowListParameterNames = ["index_start", "index_stride", "list_start"] as const;

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
  ...entryPoint,
  ...rowListParameterNames.map(
    (name, k) => `  let ${name} = table[entry + ${entryHeaderLength + k}u];`,
  ),
  ...elementLoop(),
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
  "  }",
  "}",
  "",
].join("\n");
