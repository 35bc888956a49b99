import { GradstepError, show } from "../errors.js";
import { newRow, type Backend, type RowValues } from "./backend.js";
import { isTensor } from "./is-tensor.js";
import { notLive } from "./tensor-errors.js";
import { isRawMemory, wrapRemedy } from "./raw-memory.js";

interface RowValueOptions {
  /** Whether there may be more values than rows. */
  readonly allowsMore?: boolean;
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
  options?: RowValueOptions,
): asserts values is RowValues {
  const length = checkedLength(what, values, count, backend);
  if (length < count || (length > count && options?.allowsMore !== true))
    throw new GradstepError(
      `${what} has ${length} values; expected ${count}, one per row. Pass a part of it: an array with subarray(), memory of a backend with shape: [${count}].`,
      { code: "LENGTH_MISMATCH" },
    );
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
  } else if (isRawMemory(values)) remedy = ` ${wrapRemedy(count > 0 ? [count] : undefined, "u32")}`;
  return new GradstepError(
    `${what} is ${got}; expected a Uint32Array, or a u32 tensor of the parameters' ${backend.name} backend.${remedy}`,
    { code: "INVALID_MEMORY" },
  );
}

/** @throws {GradstepError} `INVALID_MEMORY` */
export function checkIndices(indices: Uint32Array, rows: number): void {
  const wrong = indices.findIndex((index) => index >= rows && index !== newRow);
  if (wrong >= 0)
    throw new GradstepError(
      `indices[${wrong}] is ${indices[wrong]}; expected a row from 0 to ${rows - 1}, or newRow.`,
      { code: "INVALID_MEMORY" },
    );
}
