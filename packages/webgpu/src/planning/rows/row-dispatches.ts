import { kernelLayoutKey, type RowKernelLayout } from "../../shaders/kernel-layout.js";
import { readsMatrices } from "../../shaders/row-parameters.js";
import type { BindingLimits, Dispatch } from "../dispatch/dispatch.js";
import { elementsOf } from "./chunk-grouping.js";
import { chunkParameters, listParameters } from "./chunk-parameters.js";
import { chunkDimensions, rowChunksOf, spansOf, type RowChunk } from "./row-chunk.js";
import { idOf } from "../dispatch/object-ids.js";
import type { RowItem } from "./row-item.js";
import { placedRowItems, type PlacedRowItem } from "./row-layout.js";
import { planSegmentDispatches, tilesOf, type Segment } from "../dispatch/segment-dispatches.js";

/** Tensors that are updated by rows, with the place for what is reduced. */
export interface ReducedRowItem {
  readonly item: RowItem;
  /** Where the results of the tiles go, per reduction. */
  readonly startsOf: (tiles: number) => readonly number[];
}

/**
 * Plans as few dispatches as possible for tensors that are updated by rows: one per combination of buffers, as long as
 * the used part of each buffer fits into one binding. Larger tensors are split by rows.
 *
 * @throws {GradstepError} `UNSUPPORTED` if a single row does not fit into a binding
 */
export function planRowDispatches(
  items: readonly ReducedRowItem[],
  limits: BindingLimits,
): Dispatch<RowKernelLayout>[] {
  const placed = placedRowItems(items.map(({ item }) => item));
  return planRowSegments(
    placed.map((item, k) => {
      const chunks = [...rowChunksOf(item, limits)];
      const tiles = chunks.map((chunk) => tilesOf({ count: elementsOf(chunk) }));
      let starts = items[k].startsOf(tiles.reduce((sum, count) => sum + count, 0));
      const segments = chunks.map((chunk, i) => {
        const segment = segmentOf(chunk, starts);
        starts = starts.map((start) => start + tiles[i]);
        return segment;
      });
      return { item, segments };
    }),
    limits,
  );
}

/**
 * Plans dispatches for segments of items: one per combination of layout and buffers, if possible.
 * @throws {GradstepError} as `planRowDispatches`
 */
export function planRowSegments(
  items: readonly { readonly item: PlacedRowItem; readonly segments: readonly Segment[] }[],
  limits: BindingLimits,
): Dispatch<RowKernelLayout>[] {
  const groups = new Map<string, { layout: RowKernelLayout; segments: Segment[] }>();
  for (const { item, segments } of items) {
    const { layout } = item;
    for (const segment of segments) {
      const key = `${kernelLayoutKey(layout)} ${segment.spans.map(({ buffer }) => idOf(buffer)).join(" ")}`;
      const group = groups.get(key) ?? { layout, segments: [] };
      groups.set(key, group);
      group.segments.push(segment);
    }
  }
  return [...groups.values()].flatMap(({ layout, segments }) => {
    // Sorted by position, so that bindings stay small.
    segments.sort((a, b) => (a.spans[0]?.low ?? 0) - (b.spans[0]?.low ?? 0));
    return planSegmentDispatches(segments, limits).map((dispatch) => ({ layout, ...dispatch }));
  });
}

function segmentOf(chunk: RowChunk, reducedStarts: readonly number[]): Segment {
  const { rows, columns } = chunkDimensions(chunk);
  const matrix = readsMatrices(chunk.kernel) ? [rows, columns] : [];
  return {
    spans: spansOf(chunk),
    count: elementsOf(chunk),
    scalars: chunk.scalars,
    parametersAt: (offsets) => [
      ...chunkParameters(chunk, offsets),
      ...matrix,
      ...listParameters(chunk),
      ...reducedStarts,
    ],
  };
}
