import type { StepSignals, Tensor, Update } from "@gradstep/core";
import type { GpuTensor } from "../../memory/gpu-tensor.js";
import { idOf } from "../dispatch/object-ids.js";

/** What dispatches depend on in a tensor: where its values are, and how they are stored. */
interface TensorMemory extends Pick<GpuTensor, "rows" | "size" | "isPadded"> {
  /** That of the last tensor that matched: a tensor keeps it as long as nothing of this changes. */
  range: GpuTensor["memory"];
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
  readonly signals: SignalMemory | undefined;
}

/** The signals of an update. A scale that the host knows is `"number"`. */
interface SignalMemory {
  readonly scale: TensorMemory | "number" | undefined;
  readonly skip: TensorMemory | undefined;
  readonly learningRate: TensorMemory | undefined;
}

/**
 * The inputs for which dispatches are prepared: the memory of gradients, masks and indices. Tensors that are wrapped
 * again over the same memory are the same inputs.
 */
export class StepInputs {
  readonly #inputs: readonly UpdateInputs[];

  constructor(updates: readonly Update[]) {
    this.#inputs = updates.map(
      ({ gradient, clearsGradient, mask, rows, unselectedRows, signals }) => ({
        gradient: memoryOf(gradient),
        clearsGradient,
        mask: isTensor(mask) ? memoryOf(mask) : mask && "array",
        rows: isTensor(rows) ? memoryOf(rows) : rows && "array",
        unselectedRows,
        signals: signals && signalsOf(signals),
      }),
    );
  }

  /** Whether the inputs of an update are those at this index. */
  matches(index: number, update: Update): boolean {
    const { gradient, clearsGradient, mask, rows, unselectedRows, signals } = this.#inputs[index];
    return (
      isSameTensor(gradient, update.gradient) &&
      clearsGradient === update.clearsGradient &&
      (mask === undefined ? update.mask === undefined : isSame(mask, update.mask)) &&
      (rows === undefined ? update.rows === undefined : isSame(rows, update.rows)) &&
      ((mask === undefined && rows === undefined) || unselectedRows === update.unselectedRows) &&
      areSameSignals(signals, update.signals)
    );
  }
}

/** Adds the inputs of an update to a hash: equal for equal inputs. */
export function hashInputs(hash: number, { gradient, mask, rows, signals }: Update): number {
  let next = mixTensor(hash, gradient);
  if (isTensor(mask)) next = mixTensor(next, mask);
  if (isTensor(rows)) next = mixTensor(next, rows);
  if (signals === undefined) return next;
  const { scale, skip, learningRate } = signals;
  if (typeof scale === "object") next = mixTensor(next, scale);
  if (skip !== undefined) next = mixTensor(next, skip);
  return learningRate === undefined ? next : mixTensor(next, learningRate);
}

/** The tensors of an update that can differ from step to step. */
export function inputsOf({ gradient, mask, rows, signals }: Update): GpuTensor[] {
  const { scale, skip, learningRate } = signals ?? {};
  return [gradient, mask, rows, scale, skip, learningRate].filter(
    (one) => typeof one === "object" && "memory" in one,
  ) as unknown as GpuTensor[];
}

function signalsOf({ scale, skip, learningRate }: StepSignals): SignalMemory {
  return {
    scale: typeof scale === "object" ? memoryOf(scale) : scaleKind(scale),
    skip: skip && memoryOf(skip),
    learningRate: learningRate && memoryOf(learningRate),
  };
}

/** A scale of 1 is none. */
function scaleKind(scale: number): "number" | undefined {
  return scale === 1 ? undefined : "number";
}

function areSameSignals(
  known: SignalMemory | undefined,
  current: StepSignals | undefined,
): boolean {
  if (known === undefined || current === undefined) return known === current;
  const { scale, skip, learningRate } = current;
  const isSameScale =
    typeof scale === "number"
      ? scaleKind(scale) === known.scale
      : typeof known.scale === "object" && isSameTensor(known.scale, scale);
  return (
    isSameScale && isSameSignal(known.skip, skip) && isSameSignal(known.learningRate, learningRate)
  );
}

function isSameSignal(known: TensorMemory | undefined, current: Tensor | undefined): boolean {
  return known === undefined
    ? current === undefined
    : current !== undefined && isSameTensor(known, current);
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
  return { range: memory, buffer, byteOffset, rows, size, layout, isPadded };
}

function isSame(
  known: TensorMemory | "array",
  current: Tensor | Exclude<Update["mask"] | Update["rows"], Tensor> | undefined,
): boolean {
  if (!isTensor(current)) return known === "array" && current !== undefined;
  return known !== "array" && isSameTensor(known, current);
}

function isSameTensor(known: TensorMemory, current: Tensor): boolean {
  const { memory } = current as GpuTensor;
  if (known.range === memory) return true;
  if (known.buffer !== memory.buffer || known.byteOffset !== memory.byteOffset) return false;
  const { rows, size, layout, isPadded } = current as GpuTensor;
  if (
    known.size !== size ||
    known.rows !== rows ||
    known.isPadded !== isPadded ||
    !isSameLayout(known.layout, layout)
  )
    return false;
  known.range = memory;
  return true;
}

function isSameLayout(a: Tensor["layout"], b: Tensor["layout"]): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.dtype === b.dtype && a.rowStride === b.rowStride && a.scale === b.scale;
}

function isTensor(one: Update["mask"] | Update["rows"]): one is Tensor {
  return one !== undefined && "memory" in one;
}
