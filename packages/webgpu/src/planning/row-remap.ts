import {
  GradstepError,
  grownCapacity,
  type RowMove,
  type RowSources,
  type RowValues,
} from "@gradstep/core";
import type { ErrorTracker } from "../device/error-tracker.js";
import { bufferUsage } from "../device/webgpu-constants.js";
import { allocationAlignment, type Allocation, type BufferPools } from "../memory/buffer-pools.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import { uploadable } from "../memory/uploadable-array.js";
import type { BindingLimits } from "./dispatch.js";
import { OneShotDispatches, type TableKernel } from "./one-shot-dispatches.js";
import { planRemap, scratchLength, type GatheredTensor } from "./remap-plan.js";
import { planResets, type RowReset } from "./reset-plan.js";
import { mirrorView, wordView, type RowView } from "./row-item.js";

/** What a remap needs of its backend. */
export interface RemapContext {
  readonly device: GPUDevice;
  readonly errors: ErrorTracker;
  readonly pools: BufferPools;
  readonly limits: BindingLimits;
  readonly gatherKernel: () => TableKernel;
  readonly resetKernel: () => TableKernel;
}

/** A tensor, and its new memory if it needs some. */
interface Target {
  readonly move: RowMove;
  readonly tensor: GpuTensor;
  readonly allocation: Allocation | undefined;
}

/**
 * Remaps the rows of tensors: gathers them into scratch memory and copies them from there to their memory, in one
 * submit. Packed tensors only change their shape; `pack` fills them.
 *
 * @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_MEMORY`, `UNSUPPORTED`, `DISPOSED`, `DEVICE_LOST`; then nothing has
 * changed
 */
export function remapRows(
  context: RemapContext,
  moves: readonly RowMove[],
  { count, indices, resetRows }: RowSources,
): void {
  const { device, errors, pools } = context;
  for (const { tensor, reset } of moves) check(tensor as unknown as GpuTensor, reset, count);
  const targets = allocateTargets(pools, moves, count);
  const temporary: { destroy(): void }[] = [];
  const temporaryBufferOf = (size: number, usage: number): GPUBuffer => {
    const buffer = createTemporaryBuffer(context, size, usage, moves);
    temporary.push(buffer);
    return buffer;
  };
  try {
    const viewOf = (values: RowValues): RowView => {
      if (!ArrayBuffer.isView(values)) return wordView(values as unknown as GpuTensor);
      const buffer = temporaryBufferOf(count * 4, bufferUsage.STORAGE | bufferUsage.COPY_DST);
      const words = uploadable(values as Uint32Array<ArrayBuffer>);
      device.queue.writeBuffer(buffer, 0, words, 0, count);
      return { buffer, start: 0, stride: 1 };
    };
    const indexView = viewOf(indices);
    const sources = {
      count,
      indices: indexView,
      resetRows: resetRows === undefined ? indexView : viewOf(resetRows),
    };
    const gathered = targets.flatMap((target) =>
      gatheredTensorOf(target, count, resetRows !== undefined),
    );
    if (gathered.length > 0) {
      const scratchUsage = bufferUsage.STORAGE | bufferUsage.COPY_SRC;
      const scratch = temporaryBufferOf(scratchLength(gathered), scratchUsage);
      const batches = planRemap(gathered, sources, scratch, context.limits).map((batch) => {
        const work = new OneShotDispatches(device, context.gatherKernel(), batch.dispatches);
        temporary.push(work);
        return { ...batch, work };
      });
      const encoder = device.createCommandEncoder({ label: "gradstep remap" });
      for (const { work, copies } of batches) {
        const pass = encoder.beginComputePass({ label: "gradstep remap" });
        work.record(pass);
        pass.end();
        for (const { gathered: one, scratchOffset } of copies) {
          const { buffer, offset } = one.target;
          encoder.copyBufferToBuffer(scratch, scratchOffset, buffer, offset, one.byteLength);
        }
      }
      const resets = gathered.flatMap((one) => rowResetOf(one, gathered));
      if (resets.length > 0) {
        const dispatches = planResets(resets, sources, context.limits);
        const work = new OneShotDispatches(device, context.resetKernel(), dispatches);
        temporary.push(work);
        const pass = encoder.beginComputePass({ label: "gradstep remap" });
        work.record(pass);
        pass.end();
      }
      errors.capture(
        "validation",
        () => device.queue.submit([encoder.finish()]),
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
    throw error;
  } finally {
    for (const one of temporary) one.destroy();
  }
  for (const { tensor, allocation } of targets) {
    const before = tensor.allocation;
    tensor.resize(count, allocation);
    if (allocation !== undefined) pools.free(before!);
  }
}

/** The tensor as it is gathered; none if it is packed. */
function gatheredTensorOf(
  { move, tensor, allocation }: Target,
  count: number,
  hasResetRows: boolean,
): GatheredTensor[] {
  if (tensor.layout !== undefined) return [];
  const { memory, columns } = tensor;
  const byteLength = count * columns * 4;
  const ownMemory = allocation ?? tensor.allocation;
  return [
    {
      initial: move.initial,
      reset: move.reset === "flagged" && !hasResetRows ? "added" : move.reset,
      tensor,
      target: ownMemory ?? { buffer: memory.buffer, offset: memory.byteOffset },
      // Padding becomes 0.
      byteLength: tensor.isPadded
        ? Math.ceil(byteLength / allocationAlignment) * allocationAlignment
        : byteLength,
    },
  ];
}

/** The copy of rows that are reset from the initial value, if that is a tensor: from where its rows have been moved. */
function rowResetOf(one: GatheredTensor, gathered: readonly GatheredTensor[]): RowReset[] {
  const { tensor, initial, reset, target } = one;
  if (typeof initial === "number") return [];
  const source = initial as unknown as GpuTensor;
  const moved = gathered.find((other) => other.tensor === source);
  const { buffer, byteOffset } = source.memory;
  return [
    {
      reset,
      columns: tensor.columns,
      rowsBefore: tensor.rows,
      source: moved?.target ?? { buffer, offset: byteOffset },
      target,
    },
  ];
}

function check(tensor: GpuTensor, reset: RowMove["reset"], count: number): void {
  tensor.checkLive();
  if (tensor.layout !== undefined && reset !== "all") {
    throw new GradstepError(
      `Got a tensor of ${tensor.layout.dtype} with a row stride of ${tensor.rowStride} to remap; expected f32 without gaps between rows.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (tensor.layout !== undefined) mirrorView(tensor);
  if (tensor.allocation !== undefined) return;
  if (count > tensor.capacity) {
    throw new GradstepError(
      `Got ${count} rows for a wrapped tensor of shape [${tensor.shape.join(", ")}]; its capacity is ${tensor.capacity} rows. Wrap a larger buffer, with { capacity } for the rows to come.`,
      { code: "INVALID_MEMORY" },
    );
  }
  if (tensor.layout === undefined) tensor.checkUsage(bufferUsage.COPY_DST, "remapped", "COPY_DST");
}

/** Allocates memory for the tensors that need more: for all of them, or for none. */
function allocateTargets(pools: BufferPools, moves: readonly RowMove[], count: number): Target[] {
  const tensors = moves.map(({ tensor }) => tensor as unknown as GpuTensor);
  const byteLengths = tensors.map((tensor) =>
    tensor.allocation === undefined || count <= tensor.capacity
      ? undefined
      : grownCapacity(count, tensor.capacity) * tensor.columns * 4,
  );
  const lengthsByPool = new Map<number, number[]>();
  tensors.forEach(({ allocation }, i) => {
    const byteLength = byteLengths[i];
    if (byteLength === undefined) return;
    const { pool } = allocation!;
    if (pool === undefined) return;
    lengthsByPool.set(pool, [...(lengthsByPool.get(pool) ?? []), byteLength]);
  });
  const allocations: Allocation[] = [];
  try {
    for (const [pool, lengths] of lengthsByPool) pools.reserve(lengths, pool);
    return tensors.map((tensor, i) => {
      const byteLength = byteLengths[i];
      if (byteLength === undefined) return { move: moves[i], tensor, allocation: undefined };
      const { pool, buffer } = tensor.allocation!;
      const allocation =
        pool === undefined
          ? pools.allocateBuffer(byteLength, buffer.usage)
          : pools.allocate(byteLength, pool);
      allocations.push(allocation);
      return { move: moves[i], tensor, allocation };
    });
  } catch (error) {
    for (const allocation of allocations) pools.free(allocation);
    throw error;
  }
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
