import type { RowMove } from "@gradstep/core";
import { allocationAlignment } from "../memory/buffer-pools.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import {
  gatherParameterNames,
  resetCode,
  type GatherParameters,
} from "../shaders/gather-kernel.js";
import type { BindingLimits } from "./dispatch.js";
import type { TensorMemory } from "./reset-plan.js";
import type { RowView } from "./row-item.js";
import {
  planSegmentDispatches,
  rowsSpan,
  type Segment,
  type SegmentDispatch,
} from "./segment-dispatches.js";

/** Tensors are gathered together unless they need more scratch memory than this. */
const maxSharedScratch = 2 ** 26;

/** A tensor whose rows are gathered, and the memory for its new rows. A tensor as the initial value stands for 0. */
export interface GatheredTensor extends Omit<RowMove, "tensor"> {
  readonly tensor: GpuTensor;
  readonly target: TensorMemory;
  /** The length of the new memory, padding included. */
  readonly byteLength: number;
}

/** Row sources on the device. */
export interface DeviceRowSources {
  readonly count: number;
  readonly indices: RowView;
  /** Any valid view if no tensor resets flagged rows. */
  readonly resetRows: RowView;
}

/** Tensors that are gathered into scratch memory together, and then copied to their targets. */
export interface RemapBatch {
  readonly dispatches: readonly SegmentDispatch[];
  readonly copies: readonly { readonly gathered: GatheredTensor; readonly scratchOffset: number }[];
}

/** The bytes of scratch memory for all tensors, or for the largest one if all together are too large. */
export function scratchLength(gathered: readonly GatheredTensor[]): number {
  const lengths = gathered.map(({ byteLength }) => padded(byteLength));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return total <= maxSharedScratch ? total : Math.max(...lengths);
}

/**
 * Plans as few batches and dispatches as possible. Tensors in the same buffer are one dispatch, as long as what they use
 * fits into bindings.
 *
 * @throws {GradstepError} `UNSUPPORTED` if a single row does not fit into a binding
 */
export function planRemap(
  gathered: readonly GatheredTensor[],
  sources: DeviceRowSources,
  scratch: GPUBuffer,
  limits: BindingLimits,
): RemapBatch[] {
  const buffers = [...new Set(gathered.map(({ tensor }) => tensor.memory.buffer))];
  const bufferIndex = ({ tensor }: GatheredTensor): number => buffers.indexOf(tensor.memory.buffer);
  const sorted = [...gathered].sort(
    (a, b) =>
      bufferIndex(a) - bufferIndex(b) || a.tensor.memory.byteOffset - b.tensor.memory.byteOffset,
  );
  const batches: RemapBatch["copies"][number][][] = [];
  let used = Infinity;
  for (const one of sorted) {
    const length = padded(one.byteLength);
    if (used + length > scratch.size) {
      batches.push([]);
      used = 0;
    }
    batches.at(-1)!.push({ gathered: one, scratchOffset: used });
    used += length;
  }
  return batches.map((copies) => {
    const segments = copies.flatMap(({ gathered: one, scratchOffset }) => [
      ...segmentsOf(one, { buffer: scratch, offset: scratchOffset }, sources, limits),
    ]);
    return { dispatches: planSegmentDispatches(segments, limits), copies };
  });
}

function padded(byteLength: number): number {
  return Math.ceil(byteLength / allocationAlignment) * allocationAlignment;
}

/** One segment per range of new rows and part of the old tensor. */
function* segmentsOf(
  { tensor, initial, reset, byteLength }: GatheredTensor,
  target: { readonly buffer: GPUBuffer; readonly offset: number },
  { count, indices, resetRows }: DeviceRowSources,
  { maxBindingSize, alignment }: BindingLimits,
): Generator<Segment> {
  const { columns, memory, rows } = tensor;
  const maxLength = maxBindingSize - alignment - 4;
  const longestRow = Math.max(columns, indices.stride, resetRows.stride) * 4;
  const maxRows = Math.max(1, Math.floor((maxLength - allocationAlignment) / longestRow));
  const maxSourceValues = Math.floor(maxLength / 4);
  const sourceParts = reset === "all" ? 1 : Math.ceil(tensor.size / maxSourceValues);
  for (let firstRow = 0; firstRow < count; firstRow += maxRows) {
    const rowCount = Math.min(maxRows, count - firstRow);
    const valueCount = rowCount * columns;
    // The last segment clears the padding.
    const elements =
      firstRow + rowCount === count ? byteLength / 4 - firstRow * columns : valueCount;
    const targetLow = target.offset + firstRow * columns * 4;
    for (let part = 0; part < sourceParts; part += 1) {
      const low = part * maxSourceValues;
      const high = Math.min(tensor.size, low + maxSourceValues);
      const sourceLow = memory.byteOffset + low * 4;
      yield {
        spans: [
          rowsSpan(indices, firstRow, rowCount),
          rowsSpan(resetRows, firstRow, rowCount),
          { buffer: memory.buffer, low: sourceLow, high: memory.byteOffset + high * 4 },
          { buffer: target.buffer, low: targetLow, high: targetLow + elements * 4 },
        ],
        count: elements,
        scalars: undefined,
        parametersAt: ([indicesOffset, resetOffset, sourceOffset, targetOffset]) => {
          const parameters: GatherParameters = {
            columns,
            value_count: valueCount,
            target_start: (targetLow - targetOffset) / 4,
            index_start: indices.start + firstRow * indices.stride - indicesOffset / 4,
            index_stride: indices.stride,
            reset_start: resetRows.start + firstRow * resetRows.stride - resetOffset / 4,
            reset_stride: resetRows.stride,
            rows_before: rows,
            initial: bitsOf(typeof initial === "number" ? initial : 0),
            reset_mode: resetCode[reset],
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

function bitsOf(value: number): number {
  return new Uint32Array(new Float32Array([value]).buffer)[0];
}
