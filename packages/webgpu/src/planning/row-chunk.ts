import { GradstepError, type Dimensions } from "@gradstep/core";
import type { RowKernelLayout } from "../shaders/kernel-layout.js";
import {
  rowParameterNames,
  unselectedRowsCode,
  type RowParameters,
} from "../shaders/row-access.js";
import type { BindingLimits } from "./dispatch.js";
import type { RowListView } from "./row-list.js";
import type { MirrorView, RowItem, RowView } from "./row-item.js";
import type { ByteSpan } from "./segment-dispatches.js";
import type { ArrayPlace } from "./step-target.js";

/** Consecutive rows of an item that can be bound. */
export interface RowChunk extends RowItem {
  readonly firstRow: number;
  readonly rowCount: number;
}

export function rowLayoutOf(item: RowItem): RowKernelLayout {
  return {
    gradients: sharesBinding(item) ? "shared-binding" : "separate-buffer",
    mask: item.mask !== undefined,
    list: item.list !== undefined,
    mirror: item.mirror !== undefined,
  };
}

/** Whether the gradient is in the buffer of the parameter, which is written. */
function sharesBinding({ kernel, places, gradient }: RowItem): boolean {
  const [first] = kernel.arrays;
  return (
    first.name === "p" &&
    first.isWritten &&
    gradient !== undefined &&
    gradient.buffer === places[0].buffer
  );
}

/**
 * WebGPU allows one writable binding per buffer in a dispatch, and then no read-only binding.
 * @throws {GradstepError} `INVALID_MEMORY`
 */
export function checkBuffers(item: RowItem): void {
  const { kernel, places, gradient, mask, mirror } = item;
  const written = new Map<GPUBuffer, string>();
  kernel.arrays
    .filter(({ name }) => name !== "g")
    .forEach(({ name, isWritten }, k) => {
      const { buffer } = places[k];
      if (isWritten && buffer !== undefined && !written.has(buffer))
        written.set(buffer, name === "p" ? "parameter" : "optimizer state");
    });
  const named: readonly (readonly [string, GPUBuffer | undefined])[] = [
    ["gradient", sharesBinding(item) ? undefined : gradient?.buffer],
    ["mask", mask?.buffer],
    ["mirror", mirror?.buffer],
  ];
  for (const [name, buffer] of named) {
    if (buffer !== undefined && written.has(buffer))
      throw sharedBufferError(name, written.get(buffer)!);
  }
  if (mirror === undefined) return;
  if (mirror.buffer === gradient?.buffer) throw sharedBufferError("mirror", "gradient");
  if (mirror.buffer === mask?.buffer) throw sharedBufferError("mirror", "mask");
}

function sharedBufferError(name: string, other: string): GradstepError {
  return new GradstepError(
    `Got a ${name} in the GPUBuffer of the ${other}; expected separate buffers, since WebGPU allows no second binding of a buffer that a dispatch writes to. Move the ${name} to a buffer of its own.`,
    { code: "INVALID_MEMORY" },
  );
}

/** Splits an item so that each array fits into one binding, whatever its alignment. */
export function* rowChunksOf(
  item: RowItem,
  { maxBindingSize, alignment }: BindingLimits,
): Generator<RowChunk> {
  const { rows, columns, places, gradient, mask, mirror } = item;
  const maxLength = maxBindingSize - alignment - 4;
  const longestRow = Math.max(
    4,
    ...places.map(({ buffer, perRow }) => (buffer === undefined ? 0 : perRow * 4)),
    (gradient?.stride ?? 0) * 2,
    (mask?.stride ?? 0) * 4,
    mirror === undefined ? 0 : mirror.isContiguous ? columns * 2 : mirror.stride * 4,
  );
  // A row of a contiguous mirror may end within a word; then chunks have an even number of rows.
  const unit = mirror?.isContiguous === true && columns % 2 === 1 ? 2 : 1;
  const maxRows = Math.max(unit, Math.floor(maxLength / longestRow / unit) * unit);
  for (let firstRow = 0; firstRow < rows; firstRow += maxRows) {
    const chunk = { ...item, firstRow, rowCount: Math.min(maxRows, rows - firstRow) };
    yield* splitUntilBindable(chunk, maxLength, unit);
  }
}

/** Halves a chunk until its parameters and gradients, if they share a binding, fit into it. */
function* splitUntilBindable(
  chunk: RowChunk,
  maxLength: number,
  unit: number,
): Generator<RowChunk> {
  const { firstRow, rowCount } = chunk;
  const [span] = spansOf(chunk);
  if (span === undefined || span.high - span.low <= maxLength || rowCount <= unit) {
    yield chunk;
    return;
  }
  const half = Math.ceil(rowCount / 2 / unit) * unit;
  const rest = { firstRow: firstRow + half, rowCount: rowCount - half };
  yield* splitUntilBindable({ ...chunk, rowCount: half }, maxLength, unit);
  yield* splitUntilBindable({ ...chunk, ...rest }, maxLength, unit);
}

/** The matrices of a chunk, which are whole or, if there is only one, some of its rows. */
export function chunkDimensions({ dimensions, rows, rowCount }: RowChunk): Dimensions {
  const part = rowCount / rows;
  return dimensions.matrices > 1
    ? { ...dimensions, matrices: dimensions.matrices * part }
    : { ...dimensions, rows: dimensions.rows * part };
}

/** The bytes that a chunk uses of each binding: arrays (`g` unless it shares the binding of `p`), mask, mirror. */
export function spansOf(chunk: RowChunk): ByteSpan[] {
  const { kernel, places, gradient, mask, list, mirror, columns } = chunk;
  const g = gradient && rowSpan(gradient, 2, columns * gradient.unit, gradientRowsOf(chunk));
  const isShared = sharesBinding(chunk);
  const others = [...places];
  const spans = kernel.arrays.flatMap(({ name }): ByteSpan[] => {
    if (name === "g") return isShared ? [] : [g!];
    const { buffer, start, length } = chunkPlace(others.shift()!, chunk);
    if (buffer === undefined) return [];
    const span = { buffer, low: start * 4, high: (start + length) * 4 };
    if (name !== "p" || !isShared) return [span];
    return [{ buffer, low: Math.min(span.low, g!.low), high: Math.max(span.high, g!.high) }];
  });
  return [
    ...spans,
    ...(mask === undefined ? [] : [rowSpan(mask, 4, 1, chunk)]),
    ...(list === undefined ? [] : [listSpan(list)]),
    ...(mirror === undefined ? [] : [mirrorSpan(mirror, chunk)]),
  ];
}

/** The part of an array that belongs to the rows of a chunk. */
function chunkPlace(
  place: ArrayPlace,
  { rows, firstRow, rowCount }: RowChunk,
): Pick<ArrayPlace, "buffer" | "start" | "length"> {
  const { buffer, start, length, perRow } = place;
  return perRow === 0 || rowCount === rows
    ? { buffer, start, length }
    : { buffer, start: start + firstRow * perRow, length: rowCount * perRow };
}

/** The rows of the gradient that a chunk reads: any, if rows are listed. */
function gradientRowsOf({ list, firstRow, rowCount, gradientRows }: RowChunk): RowRange {
  return list === undefined ? { firstRow, rowCount } : { firstRow: 0, rowCount: gradientRows };
}

type RowRange = Pick<RowChunk, "firstRow" | "rowCount">;

function listSpan({ buffer }: RowListView): ByteSpan {
  return { buffer, low: 0, high: buffer.size };
}

/** The bytes of rows of `length` units, in whole words. */
function rowSpan(
  { buffer, start, stride }: RowView,
  bytesPerUnit: 2 | 4,
  length: number,
  { firstRow, rowCount }: RowRange,
): ByteSpan {
  const low = (start + firstRow * stride) * bytesPerUnit;
  const high = (start + (firstRow + rowCount - 1) * stride + length) * bytesPerUnit;
  return { buffer, low: low - (low % 4), high: Math.ceil(high / 4) * 4 };
}

function mirrorSpan(mirror: MirrorView, chunk: RowChunk): ByteSpan {
  const { columns, firstRow, rowCount } = chunk;
  if (!mirror.isContiguous) return rowSpan(mirror, 4, Math.ceil(columns / 2), chunk);
  const low = mirror.start * 4 + firstRow * columns * 2;
  return { buffer: mirror.buffer, low, high: low + Math.ceil((rowCount * columns) / 2) * 4 };
}

/** The elements of a chunk: indices of the kernel, or with a mirror its words. */
export function elementsOf({ mirror, list, columns, rowCount }: RowChunk): number {
  if (list !== undefined && list.firstEntries === undefined) return list.length * columns;
  if (mirror === undefined) return rowCount * columns;
  return mirror.isContiguous
    ? Math.ceil((rowCount * columns) / 2)
    : rowCount * Math.ceil(columns / 2);
}

/**
 * The row parameters of a chunk and the starts of its arrays, as words of a table.
 * @param offsets of the bindings, in the order of `spansOf`
 */
export function chunkParameters(chunk: RowChunk, offsets: readonly number[]): readonly number[] {
  const { kernel, places, gradient, mask, list, unselectedRows, mirror } = chunk;
  const { columns, firstRow, rowCount } = chunk;
  const { firstRow: firstGradientRow } = gradientRowsOf(chunk);
  const rest = [...offsets];
  const others = [...places];
  let gradientOffset = 0;
  const starts: number[] = [];
  for (const { name } of kernel.arrays) {
    if (name === "g") {
      if (!sharesBinding(chunk)) gradientOffset = rest.shift()!;
      continue;
    }
    const { buffer, start } = chunkPlace(others.shift()!, chunk);
    const offset = buffer === undefined ? 0 : rest.shift()!;
    if (name === "p") gradientOffset = offset;
    starts.push(start - offset / 4);
  }
  const maskOffset = mask === undefined ? 0 : rest.shift()!;
  if (list !== undefined) rest.shift();
  const mirrorOffset = mirror === undefined ? 0 : rest.shift()!;
  const lines = mirror === undefined ? undefined : mirrorSpan(mirror, chunk);
  const parameters: RowParameters = {
    columns,
    gradient_unit: gradient?.unit ?? 0,
    gradient_start:
      gradient === undefined
        ? 0
        : gradient.start + firstGradientRow * gradient.stride - gradientOffset / 2,
    gradient_stride: gradient?.stride ?? 0,
    unselected: unselectedRowsCode[unselectedRows],
    mask_start: mask === undefined ? 0 : mask.start + firstRow * mask.stride - maskOffset / 4,
    mask_stride: mask?.stride ?? 0,
    line_length: mirror === undefined ? 0 : mirror.isContiguous ? rowCount * columns : columns,
    line_start: lines === undefined ? 0 : (lines.low - mirrorOffset) / 4,
    line_stride: mirror?.stride ?? 0,
  };
  return [...rowParameterNames.map((name) => parameters[name]), ...starts];
}

/**
 * The parameters of a chunk's list of rows; none if it has no list.
 * @param offsets as for `chunkParameters`
 */
export function listParameters(
  { list, mirror, firstRow, rowCount }: RowChunk,
  offsets: readonly number[],
): readonly number[] {
  if (list === undefined) return [];
  const offset = offsets.at(mirror === undefined ? -1 : -2)!;
  const [start, firstEntries] = [list.start, list.firstEntries ?? 0].map(
    (word) => word - offset / 4,
  );
  return [start, firstEntries, firstRow, rowCount];
}
