import type { RowList, Update } from "@gradstep/core";
import type { WasmTensor } from "../memory/wasm-tensor.js";
import type { RowRanges } from "./row-ranges.js";

/** The listed rows: this backend has no tensors of indices. */
function listOf({ rows }: Update): RowList | undefined {
  return rows as RowList | undefined;
}

/** The most entries of updates without masks. */
export function unmaskedEntries(updates: readonly Update[], count: number): number {
  let entries = 0;
  for (let i = 0; i < count; i += 1) {
    const { mask } = updates[i];
    const rows = listOf(updates[i]);
    if (mask === undefined) entries += rows === undefined ? 1 : rows.end - rows.start;
  }
  return entries;
}

/** The number of elements of an update without a mask. */
export function elementsOf(update: Update): number {
  const { parameter } = update;
  const rows = listOf(update);
  if (rows === undefined) return parameter.size;
  return (rows.end - rows.start) * (parameter.size / parameter.shape[0]);
}

/** Writes the entry of a range of rows that a mask treats alike. */
export function writeRange(
  words: Int32Array,
  word: number,
  { slots }: Update,
  ranges: RowRanges,
  range: number,
  scalars: number,
): void {
  const start = ranges.starts[range];
  words[word] = ranges.ends[range] - start;
  words[word + 1] = ranges.parameters[range];
  words[word + 2] = ranges.gradients[range];
  for (let j = 0; j < slots.length; j += 1)
    words[word + 3 + j] = (slots[j] as WasmTensor).address + 4 * start;
  words[word + 3 + slots.length] = scalars;
}

/** Writes the entries of an update without a mask; returns the word after them. */
export function writeRows(
  words: Int32Array,
  word: number,
  update: Update,
  scalars: number,
): number {
  const { parameter, gradient, slots } = update;
  const rows = listOf(update);
  const { indices, gradientRows, start, end } = rows ?? wholeTensor;
  const rowLength = rows === undefined ? parameter.size : parameter.size / parameter.shape[0];
  const p = (parameter as WasmTensor).address;
  const g = (gradient as WasmTensor).address;
  for (let j = 0; j < slots.length; j += 1) slotDistances[j] = (slots[j] as WasmTensor).address - p;
  const slotCount = slots.length;
  const length = 4 + slotCount;
  let next = word;
  let row = -1;
  let gradientRow = -1;
  for (let k = start; k < end; k += 1) {
    const follows = k > start && indices[k] === row + 1 && gradientRows[k] === gradientRow + 1;
    row = indices[k];
    gradientRow = gradientRows[k];
    if (follows) {
      words[next - length] += rowLength;
      continue;
    }
    const address = p + 4 * row * rowLength;
    words[next] = rowLength;
    words[next + 1] = address;
    words[next + 2] = g + 4 * gradientRow * rowLength;
    next += 3;
    for (let j = 0; j < slotCount; j += 1) words[next + j] = address + slotDistances[j];
    next += slotCount;
    words[next] = scalars;
    next += 1;
  }
  return next;
}

/** The distances of an update's slots from its parameter, in bytes. */
const slotDistances: number[] = [];

const wholeTensor: RowList = {
  indices: new Uint32Array(1),
  gradientRows: new Uint32Array(1),
  start: 0,
  end: 1,
};
