import type { Backend, RowValues, Tensor, Update } from "../../backend/backend.js";
import { isTensor } from "../../backend/is-tensor.js";
import { isRawMemory } from "../../backend/raw-memory.js";
import { GradstepError } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";

/** Whether a value is one mask, and not an object of masks by name. */
export function isRowValues(rows: object): rows is RowValues {
  return ArrayBuffer.isView(rows) || isTensor(rows);
}

/** Whether it is an object with a value per name, rather than one value, or memory where a tensor is expected. */
export function isByName<V>(
  values: RowValues | Readonly<Record<string, V>>,
): values is Record<string, V> {
  return hasNames(values) && !isRowValues(values) && !isRawMemory(values);
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
    `Parameter "${name}" has ${parameter.size} values and its slots have ${size}; expected the same number. If its rows were moved without this optimizer, move its slots with remap(indices, { parameters }).`,
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
