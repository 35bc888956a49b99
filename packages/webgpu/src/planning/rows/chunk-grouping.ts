import { isGrouped } from "../../shaders/row-parameters.js";
import type { RowChunk } from "./row-chunk.js";

/** How the values of a chunk are divided among invocations: groups of a line, which is a row or all of them. */
interface Grouping {
  readonly lines: number;
  readonly lineLength: number;
  readonly groupLength: number;
}

/** Values per invocation: several, so that two invocations rarely write to one word of f16. */
const maxGroupLength = 4;

export function groupingOf(chunk: RowChunk): Grouping {
  const { copies, gradientActivation, columns, rowCount, isFused, layout, list } = chunk;
  if (!isGrouped(layout) || list !== undefined)
    return { lines: rowCount, lineLength: columns, groupLength: 1 };
  const filled = copies.filter(({ isFilled }) => isFilled);
  const normalizes =
    gradientActivation?.kind === "normalize" ||
    filled.some(({ activation }) => activation.kind === "normalize");
  if (normalizes || isFused) return { lines: rowCount, lineLength: columns, groupLength: columns };
  const isPacked = filled.every(({ stride, unit }) => stride === columns * unit);
  if (isPacked && filled.some(({ unit }) => unit === 1))
    return { lines: 1, lineLength: rowCount * columns, groupLength: 2 };
  return { lines: rowCount, lineLength: columns, groupLength: Math.min(columns, maxGroupLength) };
}

/** The elements of a chunk: indices of the kernel, or groups of them. */
export function elementsOf(chunk: RowChunk): number {
  const { list, columns } = chunk;
  if (list !== undefined && list.firstEntries === undefined) return list.length * columns;
  const { lines, lineLength, groupLength } = groupingOf(chunk);
  return lines * Math.ceil(lineLength / groupLength);
}
