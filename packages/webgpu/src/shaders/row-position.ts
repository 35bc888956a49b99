import { listEntryWords, noEntry } from "./row-list-kernel.js";
import type { RowKernelLayout } from "./kernel-layout.js";
import { isGrouped, unselectedRowsCode } from "./row-parameters.js";

/** Whether the loop over the values of a group declares their row and column. */
export function isInGroupLoop(layout: RowKernelLayout): boolean {
  return isGrouped(layout) && !layout.list;
}

/** Declares the row and column of a value. */
export function positionOf({ list, mask }: RowKernelLayout): readonly string[] {
  return [
    ...(list && !mask ? listedPosition : ["let row = value_index / columns;"]),
    ...(list && mask ? ["var listed = row_list[first_entries + first_row + row];"] : []),
    "let column = value_index % columns;",
  ];
}

/**
 * The row of an index, and the entry with its gradient; with a mask, entries are found by their rows. Rows before the
 * segment's are above all others, as numbers without a sign.
 */
const listedPosition: readonly string[] = [
  "var row = value_index / columns;",
  "var listed = row;",
  `if (unselected == ${unselectedRowsCode.zero}u) {`,
  "  listed = row_list[first_entries + first_row + row];",
  "} else {",
  `  let listed_row = row_list[list_start + row * ${listEntryWords}u];`,
  "  row = listed_row - first_row;",
  `  if (listed_row == ${noEntry}u || row >= row_count) { continue; }`,
  "}",
];
