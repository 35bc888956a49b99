import type { Backend, RowValues, Tensor, Update } from "../../backend/backend.js";
import { isRawMemory, wrapRemedy } from "../../backend/raw-memory.js";
import { GradstepError, show } from "../../errors.js";
import { isTensor, notLive } from "../parameters/parameter-checks.js";

/** Whether a value is one mask, and not an object of masks by name. */
export function isRowValues(rows: object): rows is RowValues {
  return ArrayBuffer.isView(rows) || isTensor(rows);
}

/** A parameter's number of rows. @throws {GradstepError} `INVALID_SHAPE` for a single number */
export function rowCount(name: string, { shape }: Tensor): number {
  if (shape.length > 0) return shape[0];
  throw new GradstepError(`Parameter "${name}" is a single number; expected one with rows.`, {
    code: "INVALID_SHAPE",
  });
}

/** The error for a parameter whose rows were moved without this optimizer, by another one for example. */
export function resized({
  name,
  size,
  update: { parameter },
}: {
  readonly name: string;
  /** The number of values that its slots have. */
  readonly size: number;
  readonly update: Update;
}): GradstepError {
  return new GradstepError(
    `Parameter "${name}" has ${parameter.size} values and its slots have ${size}; expected the same number. Move its rows with this optimizer's rows(); if they were moved already, move only its slots with remap(indices, { parameters }).`,
    { code: "LENGTH_MISMATCH" },
  );
}

/** @throws {GradstepError} `UNSUPPORTED` */
export function checkHasRows(backend: Backend): void {
  if (backend.remap === undefined)
    throw new GradstepError(`Backend ${backend.name} does not support rows; use another backend.`, {
      code: "UNSUPPORTED",
    });
}

/**
 * Checks that a value has a u32 per row.
 *
 * @param what what it is, as the message begins: `The mask`
 * @throws {GradstepError} `LENGTH_MISMATCH`, `INVALID_MEMORY`, `DISPOSED`
 */
export function checkRowValues(
  what: string,
  values: unknown,
  count: number,
  backend: Backend,
): asserts values is RowValues {
  const length = checkedLength(what, values, count, backend);
  if (length !== count) throw wrongLength(what, length, count);
}

/** The same for a value that may have more. */
export function checkFirstRowValues(
  what: string,
  values: unknown,
  count: number,
  backend: Backend,
): asserts values is RowValues {
  const length = checkedLength(what, values, count, backend);
  if (length < count) throw wrongLength(what, length, count);
}

/** The number of u32 values. @throws {GradstepError} `INVALID_MEMORY`, `DISPOSED` */
function checkedLength(what: string, values: unknown, count: number, backend: Backend): number {
  if (isTensor(values)) {
    const { size, freed, layout } = values;
    if (values.backend !== backend || layout?.dtype !== "u32")
      throw notRowValues(what, values, backend, count);
    if (freed) throw notLive(what, values);
    return size;
  }
  if (!ArrayBuffer.isView(values) || (values as Uint32Array)[Symbol.toStringTag] !== "Uint32Array")
    throw notRowValues(what, values, backend, count);
  return (values as Uint32Array).length;
}

function notRowValues(
  what: string,
  values: unknown,
  backend: Backend,
  count: number,
): GradstepError {
  let got = show(values);
  let remedy = "";
  if (isTensor(values) && values.backend === backend) {
    got = `a tensor of ${values.layout?.dtype ?? backend.precision}`;
    remedy = ` Wrap its memory with dtype: "u32".`;
  } else if (isRawMemory(values)) remedy = ` ${wrapRemedy([count], "u32")}`;
  return new GradstepError(
    `${what} is ${got}; expected a Uint32Array, or a u32 tensor of the parameters' ${backend.name} backend.${remedy}`,
    { code: "INVALID_MEMORY" },
  );
}

function wrongLength(what: string, length: number, count: number): GradstepError {
  return new GradstepError(
    `${what} has ${length} values; expected ${count}, one per row. Pass a part of it: an array with subarray(), memory of a backend with shape: [${count}].`,
    { code: "LENGTH_MISMATCH" },
  );
}
