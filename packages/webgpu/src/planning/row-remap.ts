import {
  GradstepError,
  grownCapacity,
  type RowMove,
  type RowSources,
  type RowValues,
} from "@gradstep/core";
import type { Allocation, Arenas } from "../memory/buffer-pools.js";
import { granularity } from "../memory/buffer-pools.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { Guard } from "../device/error-tracker.js";
import { ownWords } from "../memory/mask-uploads.js";
import type { BindingLimits } from "./dense-dispatches.js";
import { planRemap, scratchLength, type Gathered } from "./remap-plan.js";
import { copyPlace, wordPlace } from "./row-item.js";
import type { RowPlace } from "./row-dispatches.js";
import { SingleUse, type TableKernel } from "./one-shot-dispatches.js";
import { bufferUsage } from "../device/webgpu-constants.js";

/** What a remap needs of its backend. */
export interface RemapContext {
  readonly device: GPUDevice;
  readonly guard: Guard;
  readonly arenas: Arenas;
  readonly limits: BindingLimits;
  readonly kernel: () => TableKernel;
}

/** A tensor and the memory that it will have. */
interface Place {
  readonly move: RowMove;
  readonly tensor: GpuTensor;
  readonly allocation: Allocation | undefined;
}

/**
 * Gives tensors other rows: gathers them into scratch memory, and copies them from there to where they belong, all in
 * one submit. Packed tensors only change their shape: `pack` fills them anew.
 *
 * @throws {GradstepError} `OUT_OF_MEMORY`, `INVALID_MEMORY`, `UNSUPPORTED`, `DISPOSED`, `DEVICE_LOST`; then nothing has
 * changed
 */
export function remap(
  context: RemapContext,
  moves: readonly RowMove[],
  { count, indices, resetRows }: RowSources,
): void {
  const { device, arenas } = context;
  for (const { tensor, reset } of moves) check(tensor as unknown as GpuTensor, reset, count);
  const places = allocateAll(arenas, moves, count);
  const temporary: { destroy(): void }[] = [];
  const make = (size: number, usage: number): GPUBuffer => {
    const buffer = temporaryBuffer(context, size, usage, moves);
    temporary.push(buffer);
    return buffer;
  };
  try {
    const place = (values: RowValues): RowPlace => {
      if (!ArrayBuffer.isView(values)) return wordPlace(values as unknown as GpuTensor);
      const buffer = make(count * 4, bufferUsage.STORAGE | bufferUsage.COPY_DST);
      device.queue.writeBuffer(buffer, 0, ownWords(values), 0, count);
      return { buffer, at: 0, step: 1 };
    };
    const from = place(indices);
    const sources = {
      count,
      indices: from,
      fresh: resetRows === undefined ? from : place(resetRows),
    };
    const gathered = places.flatMap((one) => gatheredOf(one, count, resetRows !== undefined));
    if (gathered.length > 0) {
      const scratch = make(scratchLength(gathered), bufferUsage.STORAGE | bufferUsage.COPY_SRC);
      const batches = planRemap(gathered, sources, scratch, context.limits).map((batch) => {
        const work = new SingleUse(device, context.kernel(), batch.dispatches);
        temporary.push({ destroy: () => work.release() });
        return { ...batch, work };
      });
      const encoder = device.createCommandEncoder({ label: "gradstep remap" });
      for (const { work, copies } of batches) {
        const pass = encoder.beginComputePass();
        work.record(pass);
        pass.end();
        for (const { gathered: one, scratchOffset } of copies) {
          const { buffer, offset } = one.target;
          encoder.copyBufferToBuffer(scratch, scratchOffset, buffer, offset, one.byteLength);
        }
      }
      device.queue.submit([encoder.finish()]);
    }
  } catch (error) {
    for (const { allocation } of places) if (allocation !== undefined) arenas.free(allocation);
    throw error;
  } finally {
    for (const one of temporary) one.destroy();
  }
  for (const { tensor, allocation } of places) {
    const before = tensor.allocation;
    tensor.resize(count, allocation);
    if (allocation !== undefined) arenas.free(before!);
  }
}

/** A tensor as it is gathered; none for a packed one. */
function gatheredOf(
  { move, tensor, allocation }: Place,
  count: number,
  isFresh: boolean,
): Gathered[] {
  if (tensor.layout !== undefined) return [];
  const { memory, columns } = tensor;
  const byteLength = count * columns * 4;
  const own = allocation ?? tensor.allocation;
  return [
    {
      initial: move.initial,
      reset: move.reset === "flagged" && !isFresh ? "added" : move.reset,
      tensor,
      target: own ?? { buffer: memory.buffer, offset: memory.byteOffset },
      // Nobody else has what pads memory of the backend's own; it is 0 again.
      byteLength:
        own === undefined ? byteLength : Math.ceil(byteLength / granularity) * granularity,
    },
  ];
}

function check(tensor: GpuTensor, anew: RowMove["reset"], count: number): void {
  tensor.checkLive();
  if (tensor.layout !== undefined && anew !== "all") {
    throw new GradstepError(
      `Got a tensor of ${tensor.layout.dtype} with a row stride of ${tensor.rowStride} whose rows are to move; expected f32 whose rows follow each other.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (tensor.layout !== undefined) copyPlace(tensor);
  if (tensor.allocation !== undefined) return;
  if (count > tensor.capacity) {
    throw new GradstepError(
      `A wrapped tensor of shape [${tensor.shape.join(", ")}] is to have ${count} rows; its memory has room for ${tensor.capacity}. Wrap a larger buffer, with { capacity } for what is to come.`,
      { code: "INVALID_MEMORY" },
    );
  }
  if (tensor.layout === undefined)
    tensor.checkUsage(bufferUsage.COPY_DST, "given other rows", "COPY_DST");
}

/** New memory for those that need it; where there is not enough for all, there is none. */
function allocateAll(arenas: Arenas, moves: readonly RowMove[], count: number): Place[] {
  const tensors = moves.map(({ tensor }) => tensor as unknown as GpuTensor);
  const bytes = tensors.map((tensor) =>
    tensor.allocation === undefined || count <= tensor.capacity
      ? undefined
      : grownCapacity(count, tensor.capacity) * tensor.columns * 4,
  );
  const pools = new Map<number, number[]>();
  tensors.forEach(({ allocation }, i) => {
    const length = bytes[i];
    if (length === undefined) return;
    const { pool } = allocation!;
    pools.set(pool, [...(pools.get(pool) ?? []), length]);
  });
  const made: Allocation[] = [];
  try {
    for (const [pool, lengths] of pools) arenas.reserve(lengths, pool);
    return tensors.map((tensor, i) => {
      const length = bytes[i];
      if (length === undefined) return { move: moves[i], tensor, allocation: undefined };
      const allocation = arenas.allocate(length, tensor.allocation!.pool);
      made.push(allocation);
      return { move: moves[i], tensor, allocation };
    });
  } catch (error) {
    for (const allocation of made) arenas.free(allocation);
    throw error;
  }
}

/** A buffer for one remap. Where it turns out later that there is no memory for it, the tensors have lost their values. */
function temporaryBuffer(
  { device, guard }: RemapContext,
  size: number,
  usage: number,
  moves: readonly RowMove[],
): GPUBuffer {
  const { maxBufferSize } = device.limits;
  if (size > maxBufferSize) {
    throw new GradstepError(
      `Rows are moved through a buffer of ${size} bytes; this device's may have ${maxBufferSize}. Ask for a device with a higher maxBufferSize, or split the parameter.`,
      { code: "OUT_OF_MEMORY" },
    );
  }
  return guard.watch(
    "out-of-memory",
    () => device.createBuffer({ label: "gradstep remap", size, usage }),
    (message) => {
      const error = new GradstepError(
        `The device had no ${size} bytes to move rows through: ${message}. Make tensors from the values read last.`,
        { code: "OUT_OF_MEMORY" },
      );
      for (const { tensor } of moves) (tensor as unknown as GpuTensor).fail(error);
      return error;
    },
  );
}
