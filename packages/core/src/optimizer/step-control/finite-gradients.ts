import { columnsOf } from "../../backend/dimensions.js";
import type { RowList, Update } from "../../backend/backend.js";
import type { Layout } from "../../backend/memory.js";
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
    const { layout } = gradient;
    const stored = layout === undefined ? plainValues(updates[i]) : storedValues(gradient);
    if (layout === undefined ? areFinite(stored) : isInteger(layout.dtype)) continue;
    const size = layout === undefined ? stored.length : gradient.size;
    const stride = rowStrideOf(gradient);
    const columns = columnsOf(gradient);
    const selected = mask && rowValuesOf(mask);
    const perRow = columnsOf(parameter);
    for (let index = 0; index < size; index += 1) {
      const column = index % columns;
      const at = ((index - column) / columns) * stride + column;
      const value = decodeValue(layout?.dtype ?? "f32", stored[at], layout?.scale ?? 1);
      if (!Number.isFinite(value) && (selected?.[Math.floor(index / perRow)] ?? 1) !== 0)
        return { update: i, index, value };
    }
  }
  return undefined;
}

/** The values of a gradient without a layout, in the rows of a list. */
function plainValues({ gradient, parameter, rows }: Update): HostArray {
  const all = gradient.view!();
  if (rows === undefined) return all;
  const { start, end } = rows as RowList;
  const columns = columnsOf(parameter);
  return all.subarray(start * columns, end * columns);
}

function isInteger(dtype: Layout["dtype"]): boolean {
  return dtype === "i32" || dtype === "u32";
}

/** Whether all values are finite: x − x is 0 for these alone, and NaN stays NaN in a sum. */
function areFinite(values: HostArray): boolean {
  // Several sums, so that an addition need not wait for the one before it.
  let [a, b, c, d] = [0, 0, 0, 0];
  const { length } = values;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    a += values[i] - values[i];
    b += values[i + 1] - values[i + 1];
    c += values[i + 2] - values[i + 2];
    d += values[i + 3] - values[i + 3];
  }
  for (; i < length; i += 1) a += values[i] - values[i];
  return a + b + c + d === 0;
}
