import type { GpuTensor } from "../../memory/gpu-tensor.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import { gatherSegments } from "./gather-segments.js";
import type {
  ColumnGroup,
  DeviceRowSources,
  GatheredTensor,
  RowMemory,
} from "./gathered-tensor.js";
import { scatterSegments } from "./scatter-segments.js";
import {
  planSegmentDispatches,
  type Segment,
  type SegmentDispatch,
} from "../dispatch/segment-dispatches.js";

/** The most bytes of scratch memory that a remap uses, unless a single column needs more. */
export function maxScratchLength({ limits }: GPUDevice): number {
  return Math.min(2 ** 26, limits.maxBufferSize / 4);
}

/** Columns that are gathered into scratch memory together, and from there written to their tensors. */
export interface RemapBatch {
  readonly gathers: readonly SegmentDispatch[];
  readonly scatters: readonly SegmentDispatch[];
}

/** How a remap is executed. */
export interface RemapPlan {
  /** In bytes. */
  readonly scratchLength: number;
  readonly batches: (scratch: GPUBuffer) => readonly RemapBatch[];
}

/**
 * Plans as few batches and dispatches as possible. Columns are independent of each other, so that a tensor that needs more
 * than `maxScratch` bytes is moved by groups of columns, at least one at a time. What is in the same buffers is one
 * dispatch, as long as it fits into bindings.
 */
export function planRemap(
  tensors: readonly GatheredTensor[],
  sources: DeviceRowSources,
  limits: BindingLimits,
  maxScratch: number,
): RemapPlan {
  const { count } = sources;
  // Rows that are taken from another tensor are read before that is written to.
  const sorted = [
    ...tensors.filter(({ initial }) => typeof initial !== "number"),
    ...tensors.filter(({ initial }) => typeof initial === "number"),
  ];
  const maxWords = Math.floor(maxScratch / 4);
  const maxColumns = Math.max(1, Math.floor(maxWords / count));
  const batches: ColumnGroup[][] = [];
  let used = Infinity;
  let scratchWords = 0;
  for (const gathered of sorted) {
    for (let firstColumn = 0; firstColumn < gathered.columns; firstColumn += maxColumns) {
      const columns = Math.min(maxColumns, gathered.columns - firstColumn);
      const isLast = firstColumn + columns === gathered.columns;
      if (used + count * columns > maxWords) {
        batches.push([]);
        used = 0;
      }
      batches.at(-1)!.push({ gathered, firstColumn, columns, scratchStart: used, isLast });
      used += count * columns;
      scratchWords = Math.max(scratchWords, used);
    }
  }
  return {
    scratchLength: scratchWords * 4,
    batches: (scratch) =>
      batches.map((groups) => ({
        gathers: planSegmentDispatches(
          byBuffers(
            groups.flatMap((one) => [...gatherSegments(one, { sources, scratch, limits })]),
          ),
          limits,
        ),
        scatters: planSegmentDispatches(
          byBuffers(groups.flatMap((one) => [...scatterSegments(one, count, scratch, limits)])),
          limits,
        ),
      })),
  };
}

/** Puts segments that use the same buffers next to each other. */
function byBuffers(segments: readonly Segment[]): readonly Segment[] {
  const buffers = [...new Set(segments.flatMap(({ spans }) => spans.map(({ buffer }) => buffer)))];
  const keyed = new Map<string, Segment[]>();
  for (const segment of segments) {
    const key = segment.spans.map(({ buffer }) => buffers.indexOf(buffer)).join();
    const others = keyed.get(key);
    if (others === undefined) keyed.set(key, [segment]);
    else others.push(segment);
  }
  return [...keyed.values()].flat();
}

/** The rows of a tensor of f32. */
export function rowMemoryOf({ memory, rows, rowStride }: GpuTensor): RowMemory {
  return { buffer: memory.buffer, start: memory.byteOffset / 4, stride: rowStride, rows };
}
