import { scatterParameterNames, type ScatterParameters } from "../../shaders/scatter-kernel.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import type { ColumnGroup } from "./gathered-tensor.js";
import type { Segment } from "../dispatch/segment-dispatches.js";

/** The segments that write columns from scratch memory to their tensor: one per range of rows. */
export function* scatterSegments(
  { gathered, firstColumn, columns, scratchStart, isLast }: ColumnGroup,
  count: number,
  scratch: GPUBuffer,
  { maxBindingSize, alignment }: BindingLimits,
): Generator<Segment> {
  const { target, padding } = gathered;
  const maxWords = Math.floor((maxBindingSize - alignment) / 4) - 1;
  const maxRows = Math.max(1, Math.floor((maxWords - padding) / Math.max(columns, target.stride)));
  const paddingLow = (target.start + count * target.stride) * 4;
  for (let firstRow = 0; firstRow < count; firstRow += maxRows) {
    const rowCount = Math.min(maxRows, count - firstRow);
    const valueCount = rowCount * columns;
    const paddingCount = isLast && firstRow + rowCount === count ? padding : 0;
    const sourceLow = (scratchStart + firstRow * columns) * 4;
    const targetLow = (target.start + firstRow * target.stride + firstColumn) * 4;
    const targetHigh =
      paddingCount > 0
        ? paddingLow + paddingCount * 4
        : targetLow + ((rowCount - 1) * target.stride + columns) * 4;
    yield {
      spans: [
        { buffer: scratch, low: sourceLow, high: sourceLow + valueCount * 4 },
        { buffer: target.buffer, low: targetLow, high: targetHigh },
      ],
      count: valueCount + paddingCount,
      scalars: undefined,
      parametersAt: ([sourceOffset, targetOffset]) => {
        const parameters: ScatterParameters = {
          columns,
          value_count: valueCount,
          source_start: (sourceLow - sourceOffset) / 4,
          target_start: (targetLow - targetOffset) / 4,
          target_stride: target.stride,
          padding_start: (paddingLow - targetOffset) / 4,
        };
        return scatterParameterNames.map((name) => parameters[name]);
      },
    };
  }
}
