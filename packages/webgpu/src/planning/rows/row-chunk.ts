import type { Dimensions } from "@gradstep/core";
import { copyIndexOf, rowArraysOf, type RowArray } from "../../shaders/row-bindings.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import type { ValueView } from "./row-item.js";
import type { PlacedRowItem } from "./row-layout.js";
import type { ByteSpan } from "../dispatch/segment-dispatches.js";
import type { ArrayLocation } from "../dispatch/step-target.js";

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
  const { rows, locations, gradient, mask, copies } = item;
  const maxLength = maxBindingSize - alignment - 4;
  const longestRow = Math.max(
    4,
    ...[...locations.values()].map(({ buffer, stride }) => (buffer === undefined ? 0 : stride * 4)),
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
  // Products before quotients: these are integers.
  return dimensions.matrices > 1
    ? { ...dimensions, matrices: (dimensions.matrices * rowCount) / rows }
    : { ...dimensions, rows: (dimensions.rows * rowCount) / rows };
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
  const { locations, gradient, mask, list, copies, columns, rowCount } = chunk;
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
      const location = locations.get(name)!;
      const start = chunkStart(location, chunk);
      const { perRow, stride } = location;
      const length = perRow === 0 ? location.length : (rowCount - 1) * stride + perRow;
      return { buffer: location.buffer!, low: start * 4, high: (start + length) * 4 };
    }
  }
}

/** The position of the first value of an array that belongs to the rows of a chunk. */
export function chunkStart(
  { start, perRow, stride }: ArrayLocation,
  { firstRow }: RowChunk,
): number {
  return perRow === 0 ? start : start + firstRow * stride;
}

type RowRange = Pick<RowChunk, "firstRow" | "rowCount">;

/** The rows of the gradient that a chunk reads: any, if rows are listed. */
export function gradientRowsOf({ list, firstRow, rowCount, gradientRows }: RowChunk): RowRange {
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
