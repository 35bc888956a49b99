import { elementsPerTile, type DenseKernelLayout } from "../../shaders/kernel-layout.js";
import type { BindingLimits, Dispatch } from "../dispatch/dispatch.js";
import {
  bindableBytes,
  DenseDispatchBuilder,
  overlaps,
  type DenseChunk,
} from "./dense-dispatch-builder.js";
import type { DenseItem } from "./dense-item.js";
import { idOf } from "../dispatch/object-ids.js";

/**
 * Up to this number of values, tensors in the same buffers are one dispatch even if some of them cannot be updated four
 * values at a time. Beyond it, a second dispatch costs less than the wider accesses save.
 */
export const maxNarrowCount: number = 2 ** 22;

/**
 * Plans as few dispatches as possible for plain tensors: one per combination of buffers, as long as the used part of
 * each buffer fits into one binding. Values outside the items are not written.
 *
 * Ranges that start at multiples of four in every array, and whose length is a multiple of four, are updated four values
 * at a time. If a range in some buffers is not of that kind, all ranges in them are updated one value at a time, in one
 * dispatch. With more than `narrowCount` values, only what has to be is, in a second dispatch.
 */
export function planDenseDispatches(
  items: readonly DenseItem[],
  limits: BindingLimits,
  narrowCount: number = maxNarrowCount,
): Dispatch<DenseKernelLayout>[] {
  const slices = items.map((item) => [...split(item, limits)].map((part) => placed(part, limits)));
  const narrow = narrowBuffers(slices.flat(), narrowCount);
  const chunks: DenseChunk[] = [];
  items.forEach(({ reduction, scratchStarts }, i) => {
    const parts = slices[i].flatMap((part) => partsOf(part, narrow.has(part.buffers)));
    const tiles = parts.map(({ count, width }) => Math.ceil(count / width / elementsPerTile));
    let reducedStarts = reduction?.startsOf(tiles.reduce((sum, count) => sum + count, 0)) ?? [];
    parts.forEach((part, k) => {
      const { views, count, scalars, width, gradients, buffers, from } = part;
      const size =
        reduction === undefined || width === 1 ? [] : [Math.max(0, reduction.size - from)];
      chunks.push({
        views,
        count,
        scalars,
        layout: { width, gradients },
        key: `${width} ${buffers}`,
        words: [...scratchStarts, ...size, ...reducedStarts],
      });
      reducedStarts = reducedStarts.map((start) => start + tiles[k]);
    });
  });
  // Sorted by position, so that bindings stay small and adjacent ranges are merged.
  chunks.sort(
    (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.views[0].start - b.views[0].start,
  );
  const builders: DenseDispatchBuilder[] = [];
  for (const chunk of chunks) {
    if (builders.at(-1)?.add(chunk) !== true)
      builders.push(new DenseDispatchBuilder(chunk, limits));
  }
  return builders.map((builder) => builder.finish());
}

/** The buffers of slices that are all updated one value at a time. */
function narrowBuffers(slices: readonly PlacedSlice[], maxCount: number): ReadonlySet<string> {
  const counts = new Map<string, number>();
  const narrow = new Set<string>();
  for (const one of slices) {
    const { buffers, count } = one;
    counts.set(buffers, (counts.get(buffers) ?? 0) + count);
    if (!isAligned(one) || count % 4 > 0) narrow.add(buffers);
  }
  return new Set([...narrow].filter((buffers) => counts.get(buffers)! <= maxCount));
}

/** A range of an item. */
interface Slice extends DenseItem {
  /** The index of the first element in the item. */
  readonly from: number;
}

interface PlacedSlice extends Slice {
  readonly gradients: DenseKernelLayout["gradients"];
  /** Equal for slices whose arrays are in the same buffers. */
  readonly buffers: string;
}

function placed(part: Slice, limits: BindingLimits): PlacedSlice {
  const gradients = gradientBindingOf(part, limits);
  const buffers = part.views.map(({ buffer }) => idOf(buffer)).join(" ");
  return { ...part, gradients, buffers: `${gradients} ${buffers}` };
}

function slice(item: DenseItem & { readonly from?: number }, from: number, count: number): Slice {
  return {
    ...item,
    views: item.views.map((view) => ({
      ...view,
      start: view.start + (view.isUniform === true ? 0 : from),
    })),
    count,
    from: (item.from ?? 0) + from,
  };
}

/** The part that is updated four values at a time, and the rest, which is all of it in narrow buffers. */
function partsOf(
  part: PlacedSlice,
  isNarrow: boolean,
): readonly (PlacedSlice & DenseKernelLayout)[] {
  const { count } = part;
  const vectorized = isNarrow || !isAligned(part) ? 0 : count - (count % 4);
  const rest = { ...part, ...slice(part, vectorized, count - vectorized) };
  return [
    { ...part, ...slice(part, 0, vectorized), width: 4 as const },
    { ...rest, count: countWithoutPadding(rest), width: 1 as const },
  ].filter((one) => one.count > 0);
}

/** The values of a slice that are reduced one at a time. Where it is four, kernels are told how many there are. */
function countWithoutPadding({ count, from, reduction }: Slice): number {
  return reduction === undefined ? count : Math.min(count, reduction.size - from);
}

/** Whether every array of a slice starts at a multiple of four values. */
function isAligned({ views }: Slice): boolean {
  return views.every(({ start, isUniform }) => isUniform === true || start % 4 === 0);
}

/** Splits an item so that each array fits into one binding, whatever its alignment. */
function* split(item: DenseItem, limits: BindingLimits): Generator<Slice> {
  const { maxBindingSize, alignment } = limits;
  const step = alignment / 4;
  const maxCount = Math.max(1, Math.floor((maxBindingSize - alignment) / 4 / step)) * step;
  for (let from = 0; from < item.count; from += maxCount) {
    yield* splitUntilSeparable(slice(item, from, Math.min(maxCount, item.count - from)), limits);
  }
}

/**
 * Halves an item whose gradients can neither share a binding with its parameters nor have a binding that does not
 * overlap theirs.
 */
function* splitUntilSeparable(item: Slice, limits: BindingLimits): Generator<Slice> {
  const { count } = item;
  const gradients = gradientBindingOf(item, limits);
  if (gradients !== "separate-binding" || count < 8 || !bindingsOverlap(item, limits)) {
    yield item;
    return;
  }
  const half = Math.ceil(count / 8) * 4;
  yield* splitUntilSeparable(slice(item, 0, half), limits);
  yield* splitUntilSeparable(slice(item, half, count - half), limits);
}

function gradientBindingOf(
  { views: [p, g], count, isUpdate }: DenseItem,
  limits: BindingLimits,
): DenseKernelLayout["gradients"] {
  if (!isUpdate || p.buffer !== g.buffer) return "separate-buffer";
  const both = bindableBytes(
    { low: Math.min(p.start, g.start), high: Math.max(p.start, g.start) + count },
    limits,
  );
  return both.high - both.low <= limits.maxBindingSize ? "shared-binding" : "separate-binding";
}

/** Whether separate bindings of parameters and gradients would have bytes in common. */
function bindingsOverlap({ views: [p, g], count }: DenseItem, limits: BindingLimits): boolean {
  return overlaps(
    bindableBytes({ low: p.start, high: p.start + count }, limits),
    bindableBytes({ low: g.start, high: g.start + count }, limits),
  );
}
