import { GradstepError } from "@gradstep/core";
import { kernelLayoutKey, type RowKernelLayout } from "../shaders/kernel-layout.js";
import {
  rowParameterNames,
  unselectedRowsCode,
  type RowParameters,
} from "../shaders/row-kernel.js";
import type { BindingLimits, Dispatch } from "./dispatch.js";
import type { MirrorView, RowItem, RowView } from "./row-item.js";
import { planSegmentDispatches, type ByteSpan, type Segment } from "./segment-dispatches.js";

/** Consecutive rows of an item. */
interface RowChunk extends RowItem {
  readonly firstRow: number;
  readonly rowCount: number;
}

/**
 * Plans as few dispatches as possible for tensors that are updated by rows: one per combination of buffers, as long as
 * the used part of each buffer fits into one binding. Larger tensors are split by rows.
 *
 * @throws {GradstepError} `INVALID_MEMORY` if a dispatch would read and write one buffer, `UNSUPPORTED` if a single row
 * does not fit into a binding
 */
export function planRowDispatches(
  items: readonly RowItem[],
  limits: BindingLimits,
): Dispatch<RowKernelLayout>[] {
  const ids = new Map<GPUBuffer, number>();
  const idOf = ({ buffer }: ByteSpan): number => {
    const id = ids.get(buffer) ?? ids.size;
    ids.set(buffer, id);
    return id;
  };
  const groups = new Map<string, { layout: RowKernelLayout; segments: Segment[] }>();
  for (const item of items) {
    checkBuffers(item);
    const layout = layoutOf(item);
    for (const chunk of split(item, limits)) {
      const segment = segmentOf(chunk, layout);
      const key = `${kernelLayoutKey(layout)} ${segment.spans.map(idOf).join(" ")}`;
      const group = groups.get(key) ?? { layout, segments: [] };
      groups.set(key, group);
      group.segments.push(segment);
    }
  }
  return [...groups.values()].flatMap(({ layout, segments }) => {
    // Sorted by position, so that bindings stay small.
    segments.sort((a, b) => a.spans[0].low - b.spans[0].low);
    return planSegmentDispatches(segments, limits).map((dispatch) => ({ layout, ...dispatch }));
  });
}

function layoutOf({ views, gradient, mask, mirror }: RowItem): RowKernelLayout {
  return {
    gradients: gradient.buffer === views[0].buffer ? "shared-binding" : "separate-buffer",
    mask: mask !== undefined,
    mirror: mirror !== undefined,
  };
}

/** WebGPU allows one writable binding per buffer in a dispatch, and then no read-only binding. */
function checkBuffers({ views, gradient, mask, mirror }: RowItem): void {
  const [parameter, ...slots] = views;
  const named: readonly (readonly [string, GPUBuffer | undefined])[] = [
    ["gradient", gradient.buffer === parameter.buffer ? undefined : gradient.buffer],
    ["mask", mask?.buffer],
    ["mirror", mirror?.buffer],
  ];
  const written = new Map<GPUBuffer, string>([[parameter.buffer, "parameter"]]);
  for (const { buffer } of slots) written.set(buffer, "optimizer state");
  for (const [name, buffer] of named) {
    if (buffer !== undefined && written.has(buffer))
      throw sharedBufferError(name, written.get(buffer)!);
  }
  if (mirror === undefined) return;
  if (mirror.buffer === gradient.buffer) throw sharedBufferError("mirror", "gradient");
  if (mirror.buffer === mask?.buffer) throw sharedBufferError("mirror", "mask");
}

function sharedBufferError(name: string, other: string): GradstepError {
  return new GradstepError(
    `Got a ${name} in the GPUBuffer of the ${other}; expected separate buffers, since WebGPU allows no second binding of a buffer that a dispatch writes to. Move the ${name} to a buffer of its own.`,
    { code: "INVALID_MEMORY" },
  );
}

/** Splits an item so that each array fits into one binding, whatever its alignment. */
function* split(item: RowItem, { maxBindingSize, alignment }: BindingLimits): Generator<RowChunk> {
  const { rows, columns, gradient, mask, mirror } = item;
  const maxLength = maxBindingSize - alignment - 4;
  const longestRow = Math.max(
    columns * 4,
    gradient.stride * 2,
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
  const [{ low, high }] = spansOf(chunk);
  if (high - low <= maxLength || rowCount <= unit) {
    yield chunk;
    return;
  }
  const half = Math.ceil(rowCount / 2 / unit) * unit;
  const rest = { firstRow: firstRow + half, rowCount: rowCount - half };
  yield* splitUntilBindable({ ...chunk, rowCount: half }, maxLength, unit);
  yield* splitUntilBindable({ ...chunk, ...rest }, maxLength, unit);
}

/** The bytes that a chunk uses of each binding: `p`, `g` unless it shares that binding, slots, mask, mirror. */
function spansOf(chunk: RowChunk): ByteSpan[] {
  const { views, gradient, mask, mirror, columns, firstRow, rowCount } = chunk;
  const dense = views.map(({ buffer, start }) => {
    const low = (start + firstRow * columns) * 4;
    return { buffer, low, high: low + rowCount * columns * 4 };
  });
  const g = rowSpan(gradient, 2, columns * gradient.unit, chunk);
  const isShared = gradient.buffer === views[0].buffer;
  const [p, ...slots] = dense;
  return [
    ...(isShared
      ? [{ buffer: p.buffer, low: Math.min(p.low, g.low), high: Math.max(p.high, g.high) }]
      : [p, g]),
    ...slots,
    ...(mask === undefined ? [] : [rowSpan(mask, 4, 1, chunk)]),
    ...(mirror === undefined ? [] : [mirrorSpan(mirror, chunk)]),
  ];
}

/** The bytes of rows of `length` units, in whole words. */
function rowSpan(
  { buffer, start, stride }: RowView,
  bytesPerUnit: 2 | 4,
  length: number,
  { firstRow, rowCount }: RowChunk,
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

function segmentOf(chunk: RowChunk, { gradients }: RowKernelLayout): Segment {
  const { views, gradient, mask, unselectedRows, mirror, columns, scalars } = chunk;
  const { firstRow, rowCount } = chunk;
  const lineLength = mirror === undefined ? 0 : mirror.isContiguous ? rowCount * columns : columns;
  const lineCount = mirror?.isContiguous === true ? 1 : rowCount;
  return {
    spans: spansOf(chunk),
    count: mirror === undefined ? rowCount * columns : lineCount * Math.ceil(lineLength / 2),
    scalars,
    parametersAt: (offsets) => {
      const rest = [...offsets];
      const p = rest.shift()!;
      const g = gradients === "shared-binding" ? p : rest.shift()!;
      const slots = rest.splice(0, views.length - 1);
      const maskOffset = mask === undefined ? 0 : rest.shift()!;
      const mirrorOffset = mirror === undefined ? 0 : rest.shift()!;
      const lines = mirror === undefined ? undefined : mirrorSpan(mirror, chunk);
      const parameters: RowParameters = {
        columns,
        gradient_unit: gradient.unit,
        gradient_start: gradient.start + firstRow * gradient.stride - g / 2,
        gradient_stride: gradient.stride,
        unselected: unselectedRowsCode[unselectedRows],
        mask_start: mask === undefined ? 0 : mask.start + firstRow * mask.stride - maskOffset / 4,
        mask_stride: mask?.stride ?? 0,
        line_length: lineLength,
        line_start: lines === undefined ? 0 : (lines.low - mirrorOffset) / 4,
        line_stride: mirror?.stride ?? 0,
      };
      return [
        ...rowParameterNames.map((name) => parameters[name]),
        ...[p, ...slots].map((low, k) => views[k].start + firstRow * columns - low / 4),
      ];
    },
  };
}
