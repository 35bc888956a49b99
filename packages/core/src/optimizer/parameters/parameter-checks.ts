import type { Backend, Tensor } from "../../backend/backend.js";
import type { MemoryRange } from "../../backend/memory.js";
import { columnsOf } from "../../backend/dimensions.js";
import { bytesPerValue } from "../../backend/layout.js";
import { isTensor } from "../../backend/is-tensor.js";
import { notLive } from "../../backend/tensor-errors.js";
import { isRawMemory, wrapRemedy } from "../../backend/raw-memory.js";
import { GradstepError, list, show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import { isPromise } from "../../argument-checks/is-promise.js";
import { propertyOf } from "../../argument-checks/property-of.js";

/** Parameters by name. */
export type Parameters<T extends Tensor = Tensor> = Readonly<Record<string, T>>;

/**
 * Checks the parameters of an optimizer: tensors of one backend, alive, under usable names, no two in the same memory.
 *
 * @param backend the backend they must belong to; the first parameter's if left out
 * @param current tensors that the optimizer has already, by name
 * @throws {GradstepError} `INVALID_PARAMETER`, `DISPOSED`, `OVERLAPPING_MEMORY`
 */
export function checkParameters(
  parameters: Parameters,
  backend?: Backend,
  current: ReadonlyMap<string, Tensor> = new Map(),
): void {
  checkIsParameters(parameters);
  let common = backend;
  for (const [name, tensor] of Object.entries(parameters)) {
    if (name in Object.prototype) {
      throw new GradstepError(
        `A parameter cannot be named "${name}": every object has a property of that name. Choose another.`,
        {
          code: "INVALID_PARAMETER",
        },
      );
    }
    if (current.has(name)) {
      throw new GradstepError(
        `The optimizer has a parameter "${name}" already; choose another name.`,
        { code: "INVALID_PARAMETER" },
      );
    }
    if (!isTensor(tensor)) {
      const remedy = isRawMemory(tensor) ? wrapRemedy(undefined) : remedyFor(tensor);
      throw new GradstepError(
        `Parameter "${name}" is ${show(tensor)}; expected a tensor. ${remedy}`,
        { code: "INVALID_PARAMETER" },
      );
    }
    if (tensor.freed) throw notLive(`Parameter "${name}"`, tensor);
    checkLayout(name, tensor);
    common ??= tensor.backend;
    if (tensor.backend !== common) {
      throw new GradstepError(
        `Parameter "${name}" is of another backend (${tensor.backend.name}) than the parameters before it (${common.name}). Create the backend once, and all tensors with it.`,
        { code: "INVALID_PARAMETER" },
      );
    }
  }
  checkDisjoint([...current, ...Object.entries(parameters)]);
}

/** What to do with a value that is not a tensor of a backend. */
function remedyFor(value: unknown): string {
  if (isPromise(value)) return "Await the backend, and make tensors with it.";
  return isOfTensorFlow(value)
    ? "For variables of TensorFlow.js, use an optimizer of @gradstep/tfjs."
    : "Make one with backend.wrap(array) or backend.tensor(shape).";
}

/** Whether it is a variable of TensorFlow.js or of its layers, or one of `tfParameters` of `@gradstep/tfjs`. */
export function isOfTensorFlow(value: unknown): boolean {
  return ["dataId", "read"].some((name) => propertyOf(value, name) !== undefined);
}

/** @throws {GradstepError} `INVALID_PARAMETER` for a value that is not an object with parameters */
export function checkIsParameters(parameters: unknown): void {
  if (hasNames(parameters) && !isTensor(parameters) && !isRawMemory(parameters)) return;
  throw new GradstepError(
    `Got ${show(parameters)} as parameters; expected tensors by name, such as { kernel, bias }.`,
    { code: "INVALID_PARAMETER" },
  );
}

/** @throws {GradstepError} `INVALID_PARAMETER` */
function checkLayout(name: string, { layout, backend }: Tensor): void {
  if (layout === undefined) return;
  const { dtype, rowStride } = layout;
  if (dtype === backend.precision && backend.takesLayouts === true) return;
  throw new GradstepError(
    dtype === backend.precision
      ? `Parameter "${name}" has a row every ${rowStride} values; expected rows without gaps, since backend ${backend.name} takes no others.`
      : `Parameter "${name}" is ${dtype}; expected ${backend.precision}. Only gradients, copies, masks and indices can be of another type.`,
    { code: "INVALID_PARAMETER" },
  );
}

/** The error for an option with a name that no parameter has. @param option as the message begins: `copies` */
export function notAParameter(
  option: string,
  name: string,
  known: Iterable<string>,
): GradstepError {
  return new GradstepError(
    `${option} names "${name}"; expected one of the parameters ${list(known)}.`,
    { code: "UNKNOWN_PARAMETER" },
  );
}

/** @param what the option, as the message begins @throws {GradstepError} `INVALID_PARAMETER` */
export function checkIsTable(what: string, table: object, expected: string): void {
  if (hasNames(table) && !isTensor(table)) return;
  throw new GradstepError(`${what} is ${show(table)}; expected ${expected}.`, {
    code: "INVALID_PARAMETER",
  });
}

/** Checks that no two tensors share memory. @throws {GradstepError} `OVERLAPPING_MEMORY` */
export function checkDisjoint(tensors: readonly (readonly [string, Tensor])[]): void {
  const byBuffer = new Map<
    object,
    { name: string; tensor: Tensor; start: number; end: number }[]
  >();
  for (const [name, tensor] of tensors) {
    const { buffer, byteOffset: start, byteLength } = tensor.memory;
    const ranges = byBuffer.get(buffer) ?? [];
    if (ranges.length === 0) byBuffer.set(buffer, ranges);
    ranges.push({ name, tensor, start, end: start + byteLength });
  }
  for (const ranges of byBuffer.values()) {
    ranges.sort((a, b) => a.start - b.start);
    // Ranges that have not ended yet: at most one, unless rows are interleaved.
    let open: typeof ranges = [];
    for (const range of ranges) {
      open = open.filter(({ end }) => range.start < end);
      const other = open.find(({ tensor }) => !areInterleaved(tensor, range.tensor));
      if (other !== undefined) {
        throw new GradstepError(
          `"${other.name}" and "${range.name}" share memory; expected memory of their own. Pass a shared tensor once.`,
          { code: "OVERLAPPING_MEMORY" },
        );
      }
      open.push(range);
    }
  }
}

/** Whether the rows of one tensor lie in the gaps between the rows of the other, as fields of an array of structs do. */
export function areInterleaved(a: Tensor, b: Tensor): boolean {
  const [one, other] = [rowsOf(a), rowsOf(b)];
  if (one === undefined || other === undefined || one.stride !== other.stride) return false;
  const { stride } = one;
  const distance = b.memory.byteOffset - a.memory.byteOffset;
  const ahead = ((distance % stride) + stride) % stride;
  return ahead >= one.length && stride - ahead >= other.length;
}

/** The stride and length of rows with gaps between them, in bytes. */
function rowsOf(tensor: Tensor): { readonly stride: number; readonly length: number } | undefined {
  const { layout } = tensor;
  if (layout === undefined) return undefined;
  const width = bytesPerValue[layout.dtype];
  return { stride: layout.rowStride * width, length: columnsOf(tensor) * width };
}

/** Whether two ranges have a byte in common. Buffers are compared last, since wasm's `memory.buffer` is slow to read. */
export function overlaps(a: MemoryRange, b: MemoryRange): boolean {
  return (
    a.byteOffset < b.byteOffset + b.byteLength &&
    b.byteOffset < a.byteOffset + a.byteLength &&
    a.buffer === b.buffer
  );
}
