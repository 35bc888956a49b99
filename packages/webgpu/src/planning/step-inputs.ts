import type { Tensor, Update } from "@gradstep/core";
import type { GpuTensor } from "../memory/gpu-tensor.js";
import { idOf } from "./object-ids.js";

/** What dispatches depend on in a tensor: where its values are, and how they are stored. */
interface TensorMemory extends Pick<GpuTensor, "rows" | "size" | "isPadded"> {
  readonly buffer: GPUBuffer;
  readonly byteOffset: number;
  readonly layout: Tensor["layout"];
}

/** The inputs of an update, which change between steps. An array is `"array"`: its contents are copied in each step. */
interface UpdateInputs {
  readonly gradient: TensorMemory;
  readonly clearsGradient: boolean;
  readonly mask: TensorMemory | "array" | undefined;
  readonly rows: TensorMemory | "array" | undefined;
  readonly unselectedRows: Update["unselectedRows"];
}

/**
 * The inputs for which dispatches are prepared: the memory of gradients, masks and indices. Tensors that are wrapped
 * again over the same memory are the same inputs.
 */
export class StepInputs {
  readonly #inputs: readonly UpdateInputs[];

  constructor(updates: readonly Update[]) {
    this.#inputs = updates.map(({ gradient, clearsGradient, mask, rows, unselectedRows }) => ({
      gradient: memoryOf(gradient),
      clearsGradient,
      mask: isTensor(mask) ? memoryOf(mask) : mask && "array",
      rows: isTensor(rows) ? memoryOf(rows) : rows && "array",
      unselectedRows,
    }));
  }

  /** Whether the inputs of an update are those at this index. */
  matches(index: number, update: Update): boolean {
    const { gradient, clearsGradient, mask, rows, unselectedRows } = this.#inputs[index];
    return (
      isSame(gradient, update.gradient) &&
      clearsGradient === update.clearsGradient &&
      (mask === undefined ? update.mask === undefined : isSame(mask, update.mask)) &&
      (rows === undefined ? update.rows === undefined : isSame(rows, update.rows)) &&
      ((mask === undefined && rows === undefined) || unselectedRows === update.unselectedRows)
    );
  }
}

/** Adds the inputs of an update to a hash: equal for equal inputs. */
export function hashInputs(hash: number, { gradient, mask, rows }: Update): number {
  let next = mixTensor(hash, gradient);
  if (isTensor(mask)) next = mixTensor(next, mask);
  return isTensor(rows) ? mixTensor(next, rows) : next;
}

function mixTensor(hash: number, { memory }: Tensor): number {
  return Math.imul(
    Math.imul(hash ^ idOf(memory.buffer), 0x01000193) ^ memory.byteOffset,
    0x01000193,
  );
}

function memoryOf(tensor: Tensor): TensorMemory {
  const { memory, rows, size, layout, isPadded } = tensor as GpuTensor;
  const { buffer, byteOffset } = memory;
  return { buffer, byteOffset, rows, size, layout, isPadded };
}

function isSame(
  known: TensorMemory | "array",
  current: Tensor | Exclude<Update["mask"] | Update["rows"], Tensor> | undefined,
): boolean {
  if (!isTensor(current)) return known === "array" && current !== undefined;
  if (known === "array") return false;
  const { memory, rows, size, layout, isPadded } = current as GpuTensor;
  return (
    known.buffer === memory.buffer &&
    known.byteOffset === memory.byteOffset &&
    known.size === size &&
    known.rows === rows &&
    known.isPadded === isPadded &&
    isSameLayout(known.layout, layout)
  );
}

function isSameLayout(a: Tensor["layout"], b: Tensor["layout"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.dtype === b.dtype && a.rowStride === b.rowStride && a.scale === b.scale;
}

function isTensor(one: Update["mask"] | Update["rows"]): one is Tensor {
  return one !== undefined && "memory" in one;
}
