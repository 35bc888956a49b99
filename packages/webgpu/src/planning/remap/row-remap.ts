import {
  GradstepError,
  type RowMove,
  type RowSources,
  type RowValues,
  type Tensor,
} from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import { bufferUsage } from "../../device/webgpu-constants.js";
import { allocationAlignment, type BufferPools } from "../../memory/buffer-pools.js";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import { uploadable } from "../../memory/uploadable-array.js";
import type { BindingLimits } from "../dispatch/dispatch.js";
import { OneShotDispatches, type TableKernel } from "../dispatch/one-shot-dispatches.js";
import type { RemapKernels } from "./remap-kernels.js";
import type { RetainedMemory } from "../../memory/retained-memory.js";
import { passOf } from "../../commands/encode-target.js";
import type { GatheredTensor, InitialRows } from "./gathered-tensor.js";
import { maxScratchLength, planRemap, rowMemoryOf } from "./remap-plan.js";
import { wordView } from "../rows/row-item.js";
import type { RowView } from "../../memory/buffer-views.js";
import type { SegmentDispatch } from "../dispatch/segment-dispatches.js";
import { allocateTargets, checkMoved, type RemapTarget } from "./remap-targets.js";

/** What a remap needs of its backend. */
export interface RemapContext {
  readonly device: GPUDevice;
  readonly errors: ErrorTracker;
  readonly pools: BufferPools;
  readonly limits: BindingLimits;
  readonly kernels: RemapKernels;
  /** What recorded remaps need until they are submitted. */
  readonly retained: RetainedMemory;
}

/**
 * Remaps the rows of tensors: gathers them into scratch memory, and writes them from there to their memory.
 *
 * @param recordInto the caller's encoder or pass; a submit of its own if undefined
 * @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_MEMORY`, `UNSUPPORTED`, `DISPOSED`, `DEVICE_LOST`; then nothing has
 * changed
 */
export function remapRows(
  context: RemapContext,
  moves: readonly RowMove[],
  sources: RowSources,
  recordInto?: object,
): void {
  const { device, errors, pools, retained, limits } = context;
  const { count } = sources;
  for (const { tensor, reset } of moves) checkMoved(tensor as unknown as GpuTensor, reset, count);
  const tensors = moves.map(({ tensor }) => tensor as unknown as GpuTensor);
  retained.release(tensors, recordInto);
  const targets = allocateTargets(pools, moves, count);
  const temporary: { destroy(): void }[] = [];
  const temporaryBufferOf = (size: number, usage: number): GPUBuffer => {
    const buffer = createTemporaryBuffer(context, size, usage, moves);
    temporary.push(buffer);
    return buffer;
  };
  try {
    const viewOf = rowViews(device, moves, sources, temporaryBufferOf);
    const indices = viewOf(sources.indices);
    const gathered = targets.flatMap((target) =>
      gatheredTensorsOf(target, targets, { count, viewOf, indices: sources.indices }),
    );
    const limit = sources.limit && wordView(sources.limit as unknown as GpuTensor);
    const plan = planRemap(gathered, { count, indices, limit }, limits, maxScratchLength(device));
    const work: OneShotDispatches[] = [];
    const prepare = (kernel: TableKernel, dispatches: readonly SegmentDispatch[]): void => {
      const prepared = new OneShotDispatches(device, kernel, dispatches);
      temporary.push(prepared);
      work.push(prepared);
    };
    if (gathered.length > 0) {
      const scratch = temporaryBufferOf(plan.scratchLength, bufferUsage.STORAGE);
      for (const { gathers, scatters } of plan.batches(scratch)) {
        prepare(context.kernels.gather, gathers);
        prepare(context.kernels.scatter, scatters);
      }
    }
    const label = "gradstep remap";
    const own = recordInto === undefined ? device.createCommandEncoder({ label }) : undefined;
    const { pass, end } = passOf(own ?? recordInto!, label);
    for (const one of work) one.record(pass);
    end();
    if (own !== undefined && work.length > 0) {
      errors.capture(
        "validation",
        () => device.queue.submit([own.finish()]),
        (message) =>
          failTensors(
            moves,
            new GradstepError(
              `The device could not move rows: ${message}. Do not destroy a wrapped buffer before its tensor is freed. Make tensors from the values read last.`,
              { code: "INVALID_MEMORY" },
            ),
          ),
      );
    }
  } catch (error) {
    for (const { allocation } of targets) if (allocation !== undefined) pools.free(allocation);
    for (const one of temporary) one.destroy();
    throw error;
  }
  for (const { tensor, allocation } of targets) {
    const before = tensor.allocation;
    tensor.resize(count, allocation, recordInto);
    if (allocation !== undefined) temporary.push({ destroy: () => pools.free(before!) });
  }
  if (recordInto === undefined) for (const one of temporary) one.destroy();
  else retained.keep(recordInto, tensors, temporary);
}

/** Gives views of values per row. Arrays are written to one buffer. */
function rowViews(
  device: GPUDevice,
  moves: readonly RowMove[],
  { count, indices }: RowSources,
  createBuffer: (size: number, usage: number) => GPUBuffer,
): (values: RowValues) => RowView {
  const flags = moves.flatMap(({ reset }) => (typeof reset === "string" ? [] : [reset]));
  const arrays = [...new Set([indices, ...flags])].filter((one) => ArrayBuffer.isView(one));
  const size = arrays.length * count * 4;
  const buffer =
    size > 0 ? createBuffer(size, bufferUsage.STORAGE | bufferUsage.COPY_DST) : undefined;
  arrays.forEach((array, i) => {
    const words = uploadable(array as Uint32Array<ArrayBuffer>);
    device.queue.writeBuffer(buffer!, i * count * 4, words, 0, count);
  });
  return (values) => {
    const index = (arrays as readonly RowValues[]).indexOf(values);
    if (index < 0) return wordView(values as unknown as GpuTensor);
    return { buffer: buffer!, start: index * count, stride: 1 };
  };
}

/** The rows after a move. */
interface NewRows {
  readonly count: number;
  /** Of the rows before. */
  readonly indices: RowValues;
  /** Where values per row are on the device. */
  readonly viewOf: (values: RowValues) => RowView;
}

/** How a tensor is gathered; empty if its values are written after the move. */
function gatheredTensorsOf(
  { move, tensor, allocation }: RemapTarget,
  all: readonly RemapTarget[],
  { count, viewOf, indices }: NewRows,
): GatheredTensor[] {
  const { reset, initial } = move;
  if (reset === "written") return [];
  const { columns, rowStride } = tensor;
  const flags = typeof reset === "string" ? undefined : reset;
  // Tensors without flags share their dispatch with those that have some.
  const others = all.map((one) => one.move.reset).find((one) => typeof one !== "string");
  const own = allocation ?? tensor.allocation;
  const source = rowMemoryOf(tensor);
  const words = count * columns;
  return [
    {
      columns,
      source,
      target:
        own === undefined
          ? source
          : { buffer: own.buffer, start: own.offset / 4, stride: rowStride },
      padding: tensor.isPadded ? -words & (allocationAlignment / 4 - 1) : 0,
      reset: typeof reset === "string" ? reset : "flagged",
      resetRows: viewOf(flags ?? others ?? indices),
      initial: typeof initial === "number" ? initial : initialRowsOf(initial, all),
    },
  ];
}

/** The rows of a tensor from which rows that are reset take their values. Its own rows may be moved, too. */
function initialRowsOf(tensor: Tensor, all: readonly RemapTarget[]): InitialRows {
  const moved = all.find((one) => (one.tensor as Tensor) === tensor);
  const source = rowMemoryOf(tensor as unknown as GpuTensor);
  return { source, isMoved: moved === undefined, initial: (moved?.move.initial ?? 0) as number };
}

/** A buffer for one remap. If the device reports later that it has no memory for it, the tensors have lost their values. */
function createTemporaryBuffer(
  { device, errors }: RemapContext,
  size: number,
  usage: number,
  moves: readonly RowMove[],
): GPUBuffer {
  const { maxBufferSize } = device.limits;
  if (size > maxBufferSize) {
    throw new GradstepError(
      `A remap needs a temporary buffer of ${size} bytes; a buffer of this device may have ${maxBufferSize}. Request a device with a higher maxBufferSize, or split the parameter.`,
      { code: "OUT_OF_MEMORY" },
    );
  }
  return errors.capture(
    "out-of-memory",
    () => device.createBuffer({ label: "gradstep remap", size, usage }),
    (message) =>
      failTensors(
        moves,
        new GradstepError(
          `The device had no ${size} bytes for a remap: ${message}. Make tensors from the values read last.`,
          { code: "OUT_OF_MEMORY" },
        ),
      ),
  );
}

function failTensors(moves: readonly RowMove[], error: GradstepError): GradstepError {
  for (const { tensor } of moves) (tensor as unknown as GpuTensor).fail(error);
  return error;
}
