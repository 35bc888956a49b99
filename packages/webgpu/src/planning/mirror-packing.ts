import { checkLength, GradstepError } from "@gradstep/core";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { PackParameters } from "../shaders/pack-kernel.js";
import type { BindingLimits } from "./dispatch.js";
import { mirrorView } from "./row-item.js";
import {
  planSegmentDispatches,
  type ByteSpan,
  type Segment,
  type SegmentDispatch,
} from "./segment-dispatches.js";

/**
 * Plans the dispatches that fill a mirror.
 * @throws {GradstepError} `LENGTH_MISMATCH`, `UNSUPPORTED`, `INVALID_MEMORY`
 */
export function planMirrorPacking(
  source: GpuTensor,
  mirror: GpuTensor,
  limits: BindingLimits,
): SegmentDispatch[] {
  checkLength("The mirror", mirror.size, source.size);
  if (source.layout !== undefined) {
    throw new GradstepError(
      `Got a tensor of ${source.layout.dtype} with a row stride of ${source.rowStride} to pack; expected f32 without gaps between rows.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (source.memory.buffer === mirror.memory.buffer) {
    throw new GradstepError(
      "Got a mirror in the GPUBuffer of its parameter; expected separate buffers, since WebGPU allows no second binding of a buffer that a dispatch writes to. Move the mirror to a buffer of its own.",
      { code: "INVALID_MEMORY" },
    );
  }
  return planSegmentDispatches(segmentsOf(source, mirror, limits), limits);
}

function* segmentsOf(
  { memory }: GpuTensor,
  mirror: GpuTensor,
  { maxBindingSize, alignment }: BindingLimits,
): Generator<Segment> {
  // Rows are those of the mirror: the source has no gaps, and may have another shape.
  const { rows, columns } = mirror;
  const { buffer, start, stride, isContiguous } = mirrorView(mirror);
  const maxLength = maxBindingSize - alignment - 4;
  // A row of a contiguous mirror may end within a word; then segments have an even number of rows.
  const unit = isContiguous && columns % 2 === 1 ? 2 : 1;
  const longestRow = Math.max(columns, isContiguous ? 0 : stride) * 4;
  const maxRows = Math.max(unit, Math.floor(maxLength / longestRow / unit) * unit);
  for (let firstRow = 0; firstRow < rows; firstRow += maxRows) {
    const rowCount = Math.min(maxRows, rows - firstRow);
    const lineLength = isContiguous ? rowCount * columns : columns;
    const lineCount = isContiguous ? 1 : rowCount;
    const wordsPerLine = Math.ceil(lineLength / 2);
    const low = memory.byteOffset + firstRow * columns * 4;
    const sourceSpan: ByteSpan = {
      buffer: memory.buffer,
      low,
      high: low + rowCount * columns * 4,
    };
    const mirrorLow = (start + (isContiguous ? (firstRow * columns) / 2 : firstRow * stride)) * 4;
    const mirrorSpan: ByteSpan = {
      buffer,
      low: mirrorLow,
      high: mirrorLow + ((lineCount - 1) * stride + wordsPerLine) * 4,
    };
    yield {
      spans: [sourceSpan, mirrorSpan],
      count: lineCount * wordsPerLine,
      scalars: undefined,
      parametersAt: ([sourceOffset, mirrorOffset]): PackParameters => [
        (low - sourceOffset) / 4,
        lineLength,
        (mirrorLow - mirrorOffset) / 4,
        stride,
      ],
    };
  }
}
