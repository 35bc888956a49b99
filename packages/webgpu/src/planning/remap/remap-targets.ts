import { GradstepError, type RowMove } from "@gradstep/core";
import { grownCapacity } from "@gradstep/core/internal";
import type { BufferPools } from "../../memory/buffer-pools.js";
import type { Allocation } from "../../memory/pool-buffer.js";
import type { GpuTensor } from "../../memory/gpu-tensor.js";

/** A tensor, and its new memory if it needs some. */
export interface RemapTarget {
  readonly move: RowMove;
  readonly tensor: GpuTensor;
  readonly allocation: Allocation | undefined;
}

/** @throws {GradstepError} `UNSUPPORTED`, `INVALID_MEMORY`, `DISPOSED`, `DEVICE_LOST` */
export function checkMoved(tensor: GpuTensor, reset: RowMove["reset"], count: number): void {
  tensor.checkLive();
  const { layout } = tensor;
  if (layout !== undefined && layout.dtype !== "f32" && reset !== "written") {
    throw new GradstepError(
      `Got a tensor of ${layout.dtype} to remap; expected f32, since others are only written after a remap.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (tensor.allocation !== undefined || count <= tensor.capacity) return;
  throw new GradstepError(
    `Got ${count} rows for a wrapped tensor of shape [${tensor.shape.join(", ")}]; its capacity is ${tensor.capacity} rows. Wrap a larger buffer, with { capacity } for the rows to come.`,
    { code: "INVALID_MEMORY" },
  );
}

/** Allocates memory for the tensors that need more: for all of them, or for none. */
export function allocateTargets(
  pools: BufferPools,
  moves: readonly RowMove[],
  count: number,
): RemapTarget[] {
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
          : pools.allocate(byteLength, pool, true);
      allocations.push(allocation);
      return { move: moves[i], tensor, allocation };
    });
  } catch (error) {
    for (const allocation of allocations) pools.free(allocation);
    throw error;
  }
}
