import type { Dimensions } from "@gradstep/core";
import { activationCode } from "../../shaders/activation-functions.js";
import { copyIndexOf, rowArraysOf, type RowArray } from "../../shaders/row-bindings.js";
import {
  copyWords,
  gradientTypeCode,
  hasStride,
  hasWidth,
  isGrouped,
  placedArraysOf,
  rowParameterNames,
  unselectedRowsCode,
  type CopyParameters,
  type RowParameters,
} from "../../shaders/row-parameters.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import type { ValueView } from "./row-item.js";
import type { PlacedRowItem } from "./row-layout.js";
import type { ByteSpan } from "../dispatch/segment-dispatches.js";
import type { ArrayPlace } from "../dispatch/step-target.js";

/** Consecutive rows of an item that can be bound. */
export interface RowChunk extends PlacedRowItem {
  readonly firstRow: number;
  readonly rowCount: number;
}

/** Splits an item so that each binding fits, whatever its alignment. */
export function* rowChunksOf(
  item: PlacedRowItem,
  { maxBindingSize, alignment }: BindingLimits,
): Generator<RowChunk> {
  const { rows, places, gradient, mask, copies } = item;
  const maxLength = maxBindingSize - alignment - 4;
  const longestRow = Math.max(
    4,
    ...[...places.values()].map(({ buffer, stride }) => (buffer === undefined ? 0 : stride * 4)),
    (gradient?.stride ?? 0) * 2,
    (mask?.stride ?? 0) * 4,
    ...copies.map(({ stride, isFilled }) => (isFilled ? stride * 2 : 0)),
  );
  const maxRows = Math.max(1, Math.floor(maxLength / longestRow));
  for (let firstRow = 0; firstRow < rows; firstRow += maxRows) {
    const chunk = { ...item, firstRow, rowCount: Math.min(maxRows, rows - firstRow) };
    yield* splitUntilBindable(chunk, maxLength);
  }
}

/** Halves a chunk until what shares a binding fits into it. */
function* splitUntilBindable(chunk: RowChunk, maxLength: number): Generator<RowChunk> {
  const { firstRow, rowCount } = chunk;
  if (rowCount <= 1 || spansOf(chunk).every(({ low, high }) => high - low <= maxLength)) {
    yield chunk;
    return;
  }
  const half = Math.ceil(rowCount / 2);
  const rest = { firstRow: firstRow + half, rowCount: rowCount - half };
  yield* splitUntilBindable({ ...chunk, rowCount: half }, maxLength);
  yield* splitUntilBindable({ ...chunk, ...rest }, maxLength);
}

/** The matrices of a chunk, which are whole or, if there is only one, some of its rows. */
export function chunkDimensions({ dimensions, rows, rowCount }: RowChunk): Dimensions {
  const part = rowCount / rows;
  return dimensions.matrices > 1
    ? { ...dimensions, matrices: dimensions.matrices * part }
    : { ...dimensions, rows: dimensions.rows * part };
}

/** The bytes that a chunk uses of each binding. */
export function spansOf(chunk: RowChunk): ByteSpan[] {
  const { kernel, layout } = chunk;
  const spans: ByteSpan[] = [];
  rowArraysOf(kernel, layout).forEach((array, i) => {
    const binding = layout.bindings[i];
    const { buffer, low, high } = spanOf(chunk, array);
    const known = spans[binding];
    spans[binding] =
      known === undefined
        ? { buffer, low, high }
        : { buffer, low: Math.min(low, known.low), high: Math.max(high, known.high) };
  });
  return spans;
}

function spanOf(chunk: RowChunk, { name, content }: RowArray): ByteSpan {
  const { places, gradient, mask, list, copies, columns, rowCount } = chunk;
  switch (content) {
    case "gradient":
      return rowSpan(gradient!, columns * gradient!.unit, gradientRowsOf(chunk));
    case "mask":
      return rowSpan(inUnits(mask!), 2, chunk);
    case "list":
      return { buffer: list!.buffer, low: 0, high: list!.buffer.size };
    case "copy": {
      const copy = copies[copyIndexOf(name)];
      return copy.isFilled
        ? rowSpan(copy, columns * copy.unit, chunk)
        : rowSpan(copy, 1, { firstRow: 0, rowCount: 1 });
    }
    case "floats": {
      const place = places.get(name)!;
      const start = chunkStart(place, chunk);
      const { perRow, stride } = place;
      const length = perRow === 0 ? place.length : (rowCount - 1) * stride + perRow;
      return { buffer: place.buffer!, low: start * 4, high: (start + length) * 4 };
    }
  }
}

/** The position of the first value of an array that belongs to the rows of a chunk. */
function chunkStart({ start, perRow, stride }: ArrayPlace, { firstRow }: RowChunk): number {
  return perRow === 0 ? start : start + firstRow * stride;
}

type RowRange = Pick<RowChunk, "firstRow" | "rowCount">;

/** The rows of the gradient that a chunk reads: any, if rows are listed. */
function gradientRowsOf({ list, firstRow, rowCount, gradientRows }: RowChunk): RowRange {
  return list === undefined ? { firstRow, rowCount } : { firstRow: 0, rowCount: gradientRows };
}

function inUnits<V extends Pick<ValueView, "buffer" | "start" | "stride">>(view: V): V {
  return { ...view, start: view.start * 2, stride: view.stride * 2 };
}

/** The bytes of rows of `length` units of two bytes, in whole words. */
function rowSpan(
  { buffer, start, stride }: Pick<ValueView, "buffer" | "start" | "stride">,
  length: number,
  { firstRow, rowCount }: RowRange,
): ByteSpan {
  const low = (start + firstRow * stride) * 2;
  const high = (start + (firstRow + rowCount - 1) * stride + length) * 2;
  return { buffer, low: low - (low % 4), high: Math.ceil(high / 4) * 4 };
}

/** How the values of a chunk are divided among invocations: groups of a line, which is a row or all of them. */
interface Grouping {
  readonly lines: number;
  readonly lineLength: number;
  readonly groupLength: number;
}

/** Values that an invocation handles so that few words of f16 are written by two. */
const maxGroupLength = 4;

function groupingOf(chunk: RowChunk): Grouping {
  const { copies, gradientActivation, columns, rowCount, wholeRows, layout, list } = chunk;
  if (!isGrouped(layout) || list !== undefined)
    return { lines: rowCount, lineLength: columns, groupLength: 1 };
  const filled = copies.filter(({ isFilled }) => isFilled);
  const normalizes =
    gradientActivation?.kind === "normalize" ||
    filled.some(({ activation }) => activation.kind === "normalize");
  if (normalizes || wholeRows)
    return { lines: rowCount, lineLength: columns, groupLength: columns };
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

/**
 * The row parameters of a chunk, the starts and strides of its arrays, and its copies, as words of a table.
 * @param offsets of the bindings, in the order of `spansOf`
 */
export function chunkParameters(chunk: RowChunk, offsets: readonly number[]): readonly number[] {
  const { kernel, places, gradient, gradientActivation, mask, unselectedRows, layout } = chunk;
  const { columns, firstRow } = chunk;
  const { firstRow: firstGradientRow } = gradientRowsOf(chunk);
  const offsetOf = (name: string): number => bindingOffset(chunk, name, offsets);
  const { lineLength, groupLength } = groupingOf(chunk);
  const parameters: RowParameters = {
    columns,
    gradient_unit: gradient?.unit ?? 0,
    gradient_start:
      gradient === undefined
        ? 0
        : gradient.start + firstGradientRow * gradient.stride - offsetOf("g") / 2,
    gradient_stride: gradient?.stride ?? 0,
    unselected: unselectedRowsCode[unselectedRows],
    mask_start:
      mask === undefined ? 0 : mask.start + firstRow * mask.stride - offsetOf("#mask") / 4,
    mask_stride: mask?.stride ?? 0,
    mask_first_row: firstRow,
    gradient_type: gradientTypeCode[gradient?.type ?? "float"],
    gradient_scale: floatBits(gradient?.scale ?? 1),
    gradient_activation: activationCode[gradientActivation?.kind ?? "identity"],
    activation_scale: floatBits(gradientActivation?.scale ?? 1),
    line_length: lineLength,
    group_length: groupLength,
  };
  const placed = placedArraysOf(kernel, layout);
  return [
    ...rowParameterNames(layout).map((name) => parameters[name]),
    ...placed.map(({ name, isScratch }) => {
      const start = chunkStart(places.get(name)!, chunk);
      return isScratch ? start : start - offsetOf(name) / 4;
    }),
    ...placed
      .filter((array) => hasStride(array, layout))
      .map((array) => {
        const { width, stride } = places.get(array.name)!;
        // A kernel of elements counts the rows of all matrices of a slot per row.
        const isCounted = array.extent === "row" && kernel.over !== "row" && width > 1;
        return isCounted && !hasWidth(array, layout) ? 1 : stride;
      }),
    ...placed.filter((array) => hasWidth(array, layout)).map(({ name }) => places.get(name)!.width),
    ...copyWords(copyParameters(chunk, offsetOf)),
  ];
}

function copyParameters(
  { copies, firstRow }: RowChunk,
  offsetOf: (name: string) => number,
): readonly CopyParameters[] {
  return copies.map(({ activation, start, stride, unit, isFilled }, k) => ({
    activation: isFilled ? activationCode[activation.kind] : 0,
    scale: floatBits(activation.scale),
    offset: floatBits(activation.offset),
    start: isFilled ? start + firstRow * stride - offsetOf(`#copy${k}`) / 2 : 0,
    stride,
    unit,
  }));
}

/** The offset of the binding of an array, in bytes. */
function bindingOffset(
  { kernel, layout }: RowChunk,
  name: string,
  offsets: readonly number[],
): number {
  const index = rowArraysOf(kernel, layout).findIndex((array) => array.name === name);
  return offsets[layout.bindings[index]];
}

/**
 * The parameters of a chunk's list of rows; none if it has no list.
 * @param offsets as for `chunkParameters`
 */
export function listParameters(chunk: RowChunk, offsets: readonly number[]): readonly number[] {
  const { list, firstRow, rowCount } = chunk;
  if (list === undefined) return [];
  const offset = bindingOffset(chunk, "#list", offsets);
  const [start, firstEntries, ...places] = [
    list.start,
    list.firstEntries ?? 0,
    ...(list.scalarPlaces === undefined ? [] : [list.scalarPlaces]),
  ].map((word) => word - offset / 4);
  return [start, firstEntries, firstRow, rowCount, ...places];
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The bits of an f32. */
function floatBits(value: number): number {
  float[0] = value;
  return word[0];
}
