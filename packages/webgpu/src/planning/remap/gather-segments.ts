import { floatBits } from "../../shaders/float-bits.js";
import {
  gatherCode,
  gatherParameterNames,
  noLimit,
  resetCode,
  type GatherParameters,
} from "../../shaders/gather-kernel.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import type { ColumnGroup, DeviceRowSources, RowMemory } from "./gathered-tensor.js";
import { rowsSpan, type Segment } from "../dispatch/segment-dispatches.js";

/** What is gathered from one source. */
interface Gather {
  readonly source: RowMemory;
  readonly mode: keyof typeof gatherCode;
  readonly initial: number;
  /** Whether no row has a source. */
  readonly readsNothing: boolean;
}

/** Where rows are gathered. */
interface GatherMemory {
  readonly sources: DeviceRowSources;
  readonly scratch: GPUBuffer;
  readonly limits: BindingLimits;
}

/** The segments that gather columns into scratch memory: one per range of new rows and part of a source. */
export function* gatherSegments(group: ColumnGroup, memory: GatherMemory): Generator<Segment> {
  const { source, reset, initial } = group.gathered;
  const readsNothing = reset === "all";
  if (typeof initial === "number") {
    const gather: Gather = { source, mode: "keptAndReset", initial, readsNothing };
    yield* segmentsOf(group, gather, memory);
    return;
  }
  const kept: Gather = { source, mode: "kept", initial: 0, readsNothing };
  if (!readsNothing) yield* segmentsOf(group, kept, memory);
  const resets: Gather = {
    source: initial.source,
    mode: initial.isMoved ? "resetFromMoved" : "resetFromSource",
    initial: initial.initial,
    readsNothing: false,
  };
  yield* segmentsOf(group, resets, memory);
}

function* segmentsOf(
  { gathered, firstColumn, columns, scratchStart }: ColumnGroup,
  { source, mode, initial, readsNothing }: Gather,
  { sources, scratch, limits }: GatherMemory,
): Generator<Segment> {
  const { count, indices, limit } = sources;
  const { maxBindingSize, alignment } = limits;
  const { reset, resetRows } = gathered;
  const maxWords = Math.floor((maxBindingSize - alignment) / 4) - 1;
  const maxRows = Math.max(
    1,
    Math.floor(maxWords / Math.max(columns, indices.stride, resetRows.stride)),
  );
  const sourceWords = readsNothing ? 1 : (source.rows - 1) * source.stride + columns;
  for (let firstRow = 0; firstRow < count; firstRow += maxRows) {
    const rowCount = Math.min(maxRows, count - firstRow);
    const targetLow = (scratchStart + firstRow * columns) * 4;
    for (let low = 0; low < sourceWords; low += maxWords) {
      const high = Math.min(sourceWords, low + maxWords);
      const sourceLow = (source.start + firstColumn + low) * 4;
      yield {
        spans: [
          rowsSpan(indices, firstRow, rowCount),
          rowsSpan(resetRows, firstRow, rowCount),
          rowsSpan(limit ?? indices, 0, 1),
          { buffer: source.buffer, low: sourceLow, high: sourceLow + (high - low) * 4 },
          { buffer: scratch, low: targetLow, high: targetLow + rowCount * columns * 4 },
        ],
        count: rowCount * columns,
        scalars: undefined,
        parametersAt: ([indicesOffset, resetOffset, limitOffset, sourceOffset, targetOffset]) => {
          const parameters: GatherParameters = {
            columns,
            target_start: (targetLow - targetOffset) / 4,
            index_start: indices.start + firstRow * indices.stride - indicesOffset / 4,
            index_stride: indices.stride,
            reset_start: resetRows.start + firstRow * resetRows.stride - resetOffset / 4,
            reset_stride: resetRows.stride,
            first_row: firstRow,
            rows_before: gathered.source.rows,
            reset_mode: resetCode[reset],
            gather_mode: gatherCode[mode],
            limit_start: limit === undefined ? noLimit : limit.start - limitOffset / 4,
            initial: floatBits(initial),
            source_stride: source.stride,
            source_low: low,
            source_high: high,
            source_start: (sourceLow - sourceOffset) / 4,
          };
          return gatherParameterNames.map((name) => parameters[name]);
        },
      };
    }
  }
}
