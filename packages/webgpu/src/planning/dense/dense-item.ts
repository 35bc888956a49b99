import type { Update } from "@gradstep/core";
import { allocationAlignment } from "../../memory/buffer-pools.js";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import { isUniform, type KernelArray, type KernelProgram } from "../../shaders/kernel-program.js";
import type { BufferView } from "../../memory/buffer-views.js";
import type { StepTarget } from "../dispatch/step-target.js";

/** An array of a dense item. */
export interface DenseView extends BufferView {
  /** Whether it is one value for all elements. */
  readonly isUniform?: boolean;
}

/** One update of plain f32 tensors: the same range of elements in each array. */
export interface DenseItem {
  /** The arrays that are bound: `p`, `g`, slots, temporaries. */
  readonly views: readonly DenseView[];
  readonly count: number;
  /** The scalars of the parameter's group, compared by identity. */
  readonly scalars: Float64Array;
  /** Whether the second array is the gradient and the first one a parameter that is written. */
  readonly isUpdate: boolean;
  /** Starts of arrays in the scratch buffer. */
  readonly scratchStarts: readonly number[];
  /** For kernels with reductions: the number of values without padding, and where the results of tiles go. */
  readonly reduction?: {
    readonly size: number;
    readonly startsOf: (tiles: number) => readonly number[];
  };
}

/**
 * Where the arrays of a kernel are. If all of them are in the backend's buffers, their padding is updated as well, so
 * that adjacent tensors become one range.
 */
export function denseItemOf(
  { arrays, reductions }: KernelProgram,
  { update, locations }: StepTarget,
  startsOf: (tiles: number) => readonly number[],
): DenseItem {
  const { parameter, scalars } = update;
  const gradient = update.gradient as unknown as GpuTensor;
  const bound = arrays.filter(({ isScratch }) => !isScratch);
  const isPadded = bound.every((array) =>
    array.name === "g"
      ? gradient.isPadded
      : isUniform(array) || locations.get(array.name)!.isPadded,
  );
  const { size } = parameter;
  return {
    views: bound.map((array): DenseView => {
      if (array.name === "g")
        return { buffer: gradient.memory.buffer, start: gradient.memory.byteOffset / 4 };
      const { buffer, start } = locations.get(array.name)!;
      return { buffer: buffer!, start, isUniform: isUniform(array) };
    }),
    count: isPadded
      ? Math.ceil((size * 4) / allocationAlignment) * (allocationAlignment / 4)
      : size,
    scalars,
    isUpdate: bound[0]?.name === "p" && bound[0].isWritten && bound[1]?.name === "g",
    scratchStarts: arrays
      .filter(({ isScratch }) => isScratch)
      .map(({ name }) => locations.get(name)!.start),
    ...(reductions.length > 0 ? { reduction: { size, startsOf } } : {}),
  };
}

/**
 * Whether an elementwise kernel can update a tensor without looking at its rows.
 * @param clears whether the kernel sets the gradient to 0
 */
export function isDense(
  kernel: KernelProgram,
  { update, locations }: StepTarget,
  clears: boolean,
): boolean {
  const { over, arrays } = kernel;
  const { gradient, gradientActivation, mask, copies, rows } = update;
  const isPlain = ({ name, extent }: KernelArray): boolean => {
    if (extent !== "element") return isUniform({ extent });
    if (name === "g")
      return gradient.layout === undefined && gradientActivation === undefined && !clears;
    const { stride, width } = locations.get(name)!;
    return stride === width;
  };
  return (
    over === "element" &&
    mask === undefined &&
    rows === undefined &&
    (copies.length === 0 || !arrays.some(({ name, isWritten }) => name === "p" && isWritten)) &&
    arrays.every(isPlain) &&
    !shareBuffers(kernel, update, locations)
  );
}

/** Whether two arrays are in one buffer that the kernel writes to, apart from a parameter and its gradient. */
function shareBuffers(
  { arrays }: KernelProgram,
  { gradient }: Update,
  locations: StepTarget["locations"],
): boolean {
  const bound = arrays.filter(({ isScratch }) => !isScratch);
  const buffers = bound.map(({ name }) =>
    name === "g" ? (gradient as unknown as GpuTensor).memory.buffer : locations.get(name)!.buffer,
  );
  return bound.some((array, i) => {
    const first = buffers.indexOf(buffers[i]);
    if (first === i || (bound[first].name === "p" && array.name === "g")) return false;
    return bound.some(({ isWritten }, k) => isWritten && buffers[k] === buffers[i]);
  });
}
