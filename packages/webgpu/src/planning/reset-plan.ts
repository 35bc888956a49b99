import type { RowMove } from "@gradstep/core";
import { resetCode } from "../shaders/gather-kernel.js";
import { resetParameterNames, type ResetParameters } from "../shaders/reset-kernel.js";
import type { BindingLimits } from "./dispatch.js";
import type { DeviceRowSources } from "./remap-plan.js";
import {
  planSegmentDispatches,
  rowsSpan,
  type Segment,
  type SegmentDispatch,
} from "./segment-dispatches.js";

/** Memory of a tensor, in bytes. */
export interface TensorMemory {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** A tensor whose rows have been moved, and the tensor from which its rows are copied that are reset. */
export interface RowReset {
  readonly reset: RowMove["reset"];
  readonly columns: number;
  /** The number of rows before they were moved. */
  readonly rowsBefore: number;
  readonly source: TensorMemory;
  readonly target: TensorMemory;
}

/**
 * Plans the dispatches that copy the rows that are reset.
 * @throws {GradstepError} `UNSUPPORTED` if a single row does not fit into a binding
 */
export function planResets(
  resets: readonly RowReset[],
  sources: DeviceRowSources,
  limits: BindingLimits,
): SegmentDispatch[] {
  return planSegmentDispatches(
    resets.flatMap((one) => [...segmentsOf(one, sources, limits)]),
    limits,
  );
}

function* segmentsOf(
  { reset, columns, rowsBefore, source, target }: RowReset,
  { count, indices, resetRows }: DeviceRowSources,
  { maxBindingSize, alignment }: BindingLimits,
): Generator<Segment> {
  const longestRow = Math.max(columns, indices.stride, resetRows.stride) * 4;
  const maxRows = Math.max(1, Math.floor((maxBindingSize - alignment - 4) / longestRow));
  for (let firstRow = 0; firstRow < count; firstRow += maxRows) {
    const rowCount = Math.min(maxRows, count - firstRow);
    const [sourceSpan, targetSpan] = [source, target].map(({ buffer, offset }) => {
      const low = offset + firstRow * columns * 4;
      return { buffer, low, high: low + rowCount * columns * 4 };
    });
    yield {
      spans: [
        rowsSpan(indices, firstRow, rowCount),
        rowsSpan(resetRows, firstRow, rowCount),
        sourceSpan,
        targetSpan,
      ],
      count: rowCount * columns,
      scalars: undefined,
      parametersAt: ([indicesOffset, resetOffset, sourceOffset, targetOffset]) => {
        const parameters: ResetParameters = {
          columns,
          target_start: (targetSpan.low - targetOffset) / 4,
          source_start: (sourceSpan.low - sourceOffset) / 4,
          index_start: indices.start + firstRow * indices.stride - indicesOffset / 4,
          index_stride: indices.stride,
          reset_start: resetRows.start + firstRow * resetRows.stride - resetOffset / 4,
          reset_stride: resetRows.stride,
          rows_before: rowsBefore,
          reset_mode: resetCode[reset],
        };
        return resetParameterNames.map((name) => parameters[name]);
      },
    };
  }
}
