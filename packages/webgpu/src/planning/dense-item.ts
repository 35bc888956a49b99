import type { Update } from "@gradstep/core";
import { granularity } from "../memory/buffer-pools.js";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import type { Part } from "./dense-dispatches.js";

/** The tensors of an update. */
export function tensorsOf({ parameter, gradient, slots, mask, mirror }: Update): GpuTensor[] {
  const tensors = [parameter, gradient, ...slots, mask, mirror].filter(
    (one) => one !== undefined && !ArrayBuffer.isView(one),
  );
  return tensors as unknown as GpuTensor[];
}

/**
 * An update of plain tensors, as it lies in memory. Those in memory of the backend's own are updated with what pads
 * them, so that neighbours join.
 */
export function partOf({ parameter, gradient, slots, scalars }: Update): Part {
  const tensors = [parameter, gradient, ...slots] as unknown as GpuTensor[];
  const isPadded = tensors.every(({ allocation }) => allocation !== undefined);
  return {
    places: tensors.map(({ memory }) => ({
      buffer: memory.buffer,
      start: memory.byteOffset / 4,
    })),
    count: isPadded
      ? Math.ceil((parameter.size * 4) / granularity) * (granularity / 4)
      : parameter.size,
    scalars,
  };
}
