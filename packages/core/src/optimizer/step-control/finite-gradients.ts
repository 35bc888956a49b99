import { columnsOf } from "../../backend/dimensions.js";
import type { RowList, Update } from "../../backend/backend.js";
import type { HostArray } from "../../backend/host-array.js";
import {
  decodeValue,
  rowStrideOf,
  rowValuesOf,
  storedValues,
} from "../../backend/stored-values.js";

/** A value that is not finite. */
export interface NonFiniteValue {
  /** The index of its update. */
  readonly update: number;
  /** The index in the gradient. */
  readonly index: number;
  readonly value: number;
}

/** The first gradient value that is not finite in the rows that the first `count` updates select. */
export function findNonFinite(
  updates: readonly Update[],
  count: number,
): NonFiniteValue | undefined {
  for (let i = 0; i < count; i += 1) {
    const { gradient, parameter, mask } = updates[i];
    if (gradient.layout !== undefined) {
      const found = findInLayout(updates[i]);
      if (found !== undefined) return { update: i, ...found };
      continue;
    }
    const rows = updates[i].rows as RowList | undefined;
    const columns = columnsOf(parameter);
    const all = gradient.view!();
    const values =
      rows === undefined ? all : all.subarray(rows.start * columns, rows.end * columns);
    if (isFiniteBetween(values, 0, values.length)) continue;
    const selected = mask && rowValuesOf(mask);
    const rowLength = selected === undefined ? values.length : values.length / parameter.shape[0];
    const index = values.findIndex(
      (value, k) => !Number.isFinite(value) && (selected?.[Math.floor(k / rowLength)] ?? 1) !== 0,
    );
    if (index >= 0) return { update: i, index, value: values[index] };
  }
  return undefined;
}

/** The same for a gradient with a layout, whose rows are those of the parameter. Integers are always finite. */
function findInLayout({
  gradient,
  parameter,
  mask,
}: Update): Omit<NonFiniteValue, "update"> | undefined {
  const { dtype, scale } = gradient.layout!;
  if (dtype === "i32" || dtype === "u32") return undefined;
  const stored = storedValues(gradient);
  const stride = rowStrideOf(gradient);
  const columns = columnsOf(gradient);
  const selected = mask && rowValuesOf(mask);
  const perRow = columnsOf(parameter);
  for (let index = 0; index < gradient.size; index += 1) {
    const column = index % columns;
    const at = ((index - column) / columns) * stride + column;
    const value = decodeValue(dtype, stored[at], scale);
    if (!Number.isFinite(value) && (selected?.[Math.floor(index / perRow)] ?? 1) !== 0)
      return { index, value };
  }
  return undefined;
}

/** Whether all values of a range are finite: x − x is 0 for these alone, and NaN stays NaN in a sum. */
function isFiniteBetween(values: HostArray, start: number, end: number): boolean {
  // Several sums, so that an addition need not wait for the one before it.
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = start;
  for (; i + 4 <= end; i += 4) {
    a += values[i] - values[i];
    b += values[i + 1] - values[i + 1];
    c += values[i + 2] - values[i + 2];
    d += values[i + 3] - values[i + 3];
  }
  for (; i < end; i += 1) a += values[i] - values[i];
  return a + b + c + d === 0;
}
