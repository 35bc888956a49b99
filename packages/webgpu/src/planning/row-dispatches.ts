import { GradstepError, type UnselectedRows } from "@gradstep/core";
import { dispatchesOf, type Span, type Stretch } from "./dispatch-builder.js";
import { unselectedRowsCode, rowNumbers, type RowNumbers } from "../shaders/row-kernel.js";
import { formKey, type RowForm } from "../shaders/kernel-layout.js";
import type { BindingLimits, Dispatch, Place } from "./dense-dispatches.js";

/** Where rows of other than plain values are: the first, and how far it is to the next, in units of some bytes. */
export interface RowPlace {
  readonly buffer: GPUBuffer;
  readonly at: number;
  readonly step: number;
}

/** A packed f16 copy, in words. */
export interface CopyPlace extends RowPlace {
  /** Whether the rows follow each other without gaps: then a row may begin within a word. */
  readonly isFlat: boolean;
}

/** One tensor's part in a step that knows of rows. */
export interface RowPart {
  readonly rows: number;
  readonly columns: number;
  /** `p` and the slots. */
  readonly places: readonly Place[];
  /** In units of two bytes, of which a value has as many as `unit` says. */
  readonly gradient: RowPlace & { readonly unit: 1 | 2 };
  /** In words. */
  readonly mask: RowPlace | undefined;
  readonly others: UnselectedRows;
  readonly copy: CopyPlace | undefined;
  readonly scalars: Float64Array;
}

/** Some of the rows of a part. */
interface Piece extends RowPart {
  readonly from: number;
  readonly count: number;
}

/**
 * As few dispatches as there can be for some tensors with rows: one for each combination of buffers, as long as what is
 * used of each fits into one binding. Larger tensors are split by rows.
 *
 * @throws {GradstepError} `INVALID_MEMORY` where a buffer would be both read and written in one dispatch,
 * `UNSUPPORTED` where a single row does not fit into a binding
 */
export function planRows(parts: readonly RowPart[], limits: BindingLimits): Dispatch[] {
  const ids = new Map<GPUBuffer, number>();
  const id = ({ buffer }: Span): number => {
    const found = ids.get(buffer) ?? ids.size;
    ids.set(buffer, found);
    return found;
  };
  const byKey = new Map<string, { form: RowForm; stretches: Stretch[] }>();
  for (const part of parts) {
    checkBuffers(part);
    const form = formOf(part);
    for (const piece of split(part, limits)) {
      const stretch = stretchOf(piece, form);
      const key = `${formKey(form)} ${stretch.spans.map(id).join(" ")}`;
      const found = byKey.get(key) ?? { form, stretches: [] };
      byKey.set(key, found);
      found.stretches.push(stretch);
    }
  }
  return [...byKey.values()].flatMap(({ form, stretches }) => {
    // Neighbours in memory come together, so that what is bound stays small.
    stretches.sort((a, b) => a.spans[0].low - b.spans[0].low);
    return dispatchesOf(stretches, limits).map((bound) => ({ form, ...bound }));
  });
}

function formOf({ places, gradient, mask, copy }: RowPart): RowForm {
  return {
    gradients: gradient.buffer === places[0].buffer ? "joined" : "apart",
    mask: mask !== undefined,
    copy: copy !== undefined,
  };
}

/** WebGPU binds a buffer for writing once, and then not for reading. */
function checkBuffers({ places, gradient, mask, copy }: RowPart): void {
  const [parameter, ...slots] = places;
  const named: readonly (readonly [string, GPUBuffer | undefined])[] = [
    ["gradient", gradient.buffer === parameter.buffer ? undefined : gradient.buffer],
    ["mask", mask?.buffer],
    ["f16 copy", copy?.buffer],
  ];
  const written = new Map<GPUBuffer, string>([[parameter.buffer, "parameter"]]);
  for (const { buffer } of slots) written.set(buffer, "state");
  for (const [name, buffer] of named) {
    if (buffer !== undefined && written.has(buffer)) throw inOneBuffer(name, written.get(buffer)!);
  }
  if (copy === undefined) return;
  if (copy.buffer === gradient.buffer) throw inOneBuffer("f16 copy", "gradient");
  if (copy.buffer === mask?.buffer) throw inOneBuffer("f16 copy", "mask");
}

function inOneBuffer(one: string, other: string): GradstepError {
  return new GradstepError(
    `A ${one} is in the GPUBuffer of the ${other}; expected it in another, since WebGPU binds a buffer that is written to only once. Give the ${one} a buffer of its own.`,
    { code: "INVALID_MEMORY" },
  );
}

/** Pieces of which each array fits into one binding, whatever its alignment. */
function* split(part: RowPart, { bindingSize, alignment }: BindingLimits): Generator<Piece> {
  const { rows, columns, gradient, mask, copy } = part;
  const room = bindingSize - alignment - 4;
  const longest = Math.max(
    columns * 4,
    gradient.step * 2,
    (mask?.step ?? 0) * 4,
    copy === undefined ? 0 : copy.isFlat ? columns * 2 : copy.step * 4,
  );
  // A row of a copy may end within a word, so that the next piece has to begin two rows on.
  const unit = copy?.isFlat === true && columns % 2 === 1 ? 2 : 1;
  const most = Math.max(unit, Math.floor(room / longest / unit) * unit);
  for (let from = 0; from < rows; from += most) {
    const piece = { ...part, from, count: Math.min(most, rows - from) };
    yield* halves(piece, room, unit);
  }
}

/** Halves a piece until its parameters and gradients, if they are in one buffer, fit into one binding. */
function* halves(piece: Piece, room: number, unit: number): Generator<Piece> {
  const { from, count } = piece;
  const [{ low, high }] = spansOf(piece);
  if (high - low <= room || count <= unit) {
    yield piece;
    return;
  }
  const half = Math.ceil(count / 2 / unit) * unit;
  yield* halves({ ...piece, count: half }, room, unit);
  yield* halves({ ...piece, from: from + half, count: count - half }, room, unit);
}

/** What a piece uses of each binding: `p`, `g` unless it is joined, slots, mask, copy. */
function spansOf(piece: Piece): Span[] {
  const { places, gradient, mask, copy, columns, from, count } = piece;
  const plain = places.map(({ buffer, start }) => {
    const low = (start + from * columns) * 4;
    return { buffer, low, high: low + count * columns * 4 };
  });
  const g = rowSpan(gradient, 2, columns * gradient.unit, piece);
  const joined = gradient.buffer === places[0].buffer;
  const [p, ...slots] = plain;
  return [
    ...(joined
      ? [{ buffer: p.buffer, low: Math.min(p.low, g.low), high: Math.max(p.high, g.high) }]
      : [p, g]),
    ...slots,
    ...(mask === undefined ? [] : [rowSpan(mask, 4, 1, piece)]),
    ...(copy === undefined ? [] : [copySpan(copy, piece)]),
  ];
}

/** Rows of `length` units as bytes, in whole words. */
function rowSpan(
  { buffer, at, step }: RowPlace,
  unit: 2 | 4,
  length: number,
  { from, count }: Piece,
): Span {
  const low = (at + from * step) * unit;
  const high = (at + (from + count - 1) * step + length) * unit;
  return { buffer, low: low - (low % 4), high: Math.ceil(high / 4) * 4 };
}

function copySpan(copy: CopyPlace, piece: Piece): Span {
  const { columns, from, count } = piece;
  if (!copy.isFlat) return rowSpan(copy, 4, Math.ceil(columns / 2), piece);
  const low = copy.at * 4 + from * columns * 2;
  return { buffer: copy.buffer, low, high: low + Math.ceil((count * columns) / 2) * 4 };
}

function stretchOf(piece: Piece, { gradients }: RowForm): Stretch {
  const { places, gradient, mask, others, copy, columns, scalars, from, count } = piece;
  const lineLength = copy === undefined ? 0 : copy.isFlat ? count * columns : columns;
  const lines = copy?.isFlat === true ? 1 : count;
  return {
    spans: spansOf(piece),
    count: copy === undefined ? count * columns : lines * Math.ceil(lineLength / 2),
    scalars,
    numbers: (lows) => {
      const inOrder = [...lows];
      const p = inOrder.shift()!;
      const g = gradients === "joined" ? p : inOrder.shift()!;
      const slots = inOrder.splice(0, places.length - 1);
      const maskLow = mask === undefined ? 0 : inOrder.shift()!;
      const copyLow = copy === undefined ? 0 : inOrder.shift()!;
      const line = copy === undefined ? undefined : copySpan(copy, piece);
      const numbers: RowNumbers = {
        columns,
        g_unit: gradient.unit,
        g_at: gradient.at + from * gradient.step - g / 2,
        g_step: gradient.step,
        others: unselectedRowsCode[others],
        mask_at: mask === undefined ? 0 : mask.at + from * mask.step - maskLow / 4,
        mask_step: mask?.step ?? 0,
        line_length: lineLength,
        line_at: line === undefined ? 0 : (line.low - copyLow) / 4,
        line_step: copy?.step ?? 0,
      };
      return [
        ...rowNumbers.map((name) => numbers[name]),
        ...[p, ...slots].map((low, k) => places[k].start + from * columns - low / 4),
      ];
    },
  };
}
