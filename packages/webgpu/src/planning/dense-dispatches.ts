import { elementsPerTile, type DenseKernelLayout } from "../shaders/kernel-layout.js";
import type { BindingLimits, Dispatch } from "./dispatch.js";
import {
  bindableBytes,
  DenseDispatchBuilder,
  overlaps,
  type DenseChunk,
} from "./dense-dispatch-builder.js";
import type { DenseItem } from "./dense-item.js";

/**
 * Plans as few dispatches as possible for plain tensors: one per combination of buffers, as long as the used part of
 * each buffer fits into one binding.
 *
 * Ranges that start at multiples of four in every array are updated four values at a time, except for a remainder of up
 * to three values. Other ranges are updated one value at a time. Values outside the items are not written.
 */
export function planDenseDispatches(
  items: readonly DenseItem[],
  limits: BindingLimits,
): Dispatch<DenseKernelLayout>[] {
  const ids = new Map<GPUBuffer, number>();
  const idOf = (buffer: GPUBuffer): number => {
    const id = ids.get(buffer) ?? ids.size;
    ids.set(buffer, id);
    return id;
  };
  const chunks: DenseChunk[] = [];
  for (const item of items) {
    const parts = [...split(item, limits)].flatMap((part) => partsOf(part, limits));
    const tiles = parts.map(({ count, width }) => Math.ceil(count / width / elementsPerTile));
    const { reduction, scratchStarts } = item;
    let reducedStarts = reduction?.startsOf(tiles.reduce((sum, count) => sum + count, 0)) ?? [];
    parts.forEach((part, i) => {
      const { views, count, scalars, width, gradients, from } = part;
      const buffers = views.map(({ buffer }) => idOf(buffer)).join(" ");
      const size =
        reduction === undefined || width === 1 ? [] : [Math.max(0, reduction.size - from)];
      chunks.push({
        views,
        count,
        scalars,
        layout: { width, gradients },
        key: `${width} ${gradients} ${buffers}`,
        words: [...scratchStarts, ...size, ...reducedStarts],
      });
      reducedStarts = reducedStarts.map((start) => start + tiles[i]);
    });
  }
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

/** A range of an item. */
interface Slice extends DenseItem {
  /** The index of the first element in the item. */
  readonly from: number;
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

/** The part that is updated four values at a time, and the rest. */
function partsOf(part: Slice, limits: BindingLimits): (Slice & DenseKernelLayout)[] {
  const { views, count } = part;
  const gradients = gradientBindingOf(part, limits);
  const isAligned = views.every(({ start, isUniform }) => isUniform === true || start % 4 === 0);
  const vectorized = isAligned ? count - (count % 4) : 0;
  return [
    { ...slice(part, 0, vectorized), width: 4 as const, gradients },
    { ...slice(part, vectorized, count - vectorized), width: 1 as const, gradients },
  ].filter((one) => one.count > 0);
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
