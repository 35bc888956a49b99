import { newRow, type Backend, type RowValues } from "../../backend/backend.js";
import { isRawMemory, wrapRemedy } from "../../backend/raw-memory.js";
import { isTensor } from "../../backend/is-tensor.js";
import { GradstepError, list, show } from "../../errors.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { checkRowValues } from "../../backend/row-value-checks.js";
import { isByName, isRowValues } from "./row-checks.js";
import type { RemapOptions } from "./rows.js";

/** The rows whose slots are reset, by the names of parameters. */
export type ResetRows = ReadonlyMap<string, RowValues | "all">;

/** The parameters whose rows are moved, and how many rows they get. */
interface MovedRows {
  readonly names: readonly string[];
  readonly count: number;
  readonly backend: Backend;
}

/** The rows that tensors get; 0 if what was passed as indices is none. @throws {GradstepError} `LENGTH_MISMATCH` */
export function newCount(indices: RowValues, { count, capacity }: RemapOptions): number {
  const isOnDevice = isTensor(count);
  if (capacity !== undefined && !isOnDevice) {
    throw new GradstepError(
      `Got capacity ${show(capacity)} with ${show(count)} as count; expected it with a tensor as count only.`,
      { code: "LENGTH_MISMATCH" },
    );
  }
  const rows = isOnDevice ? capacity : count;
  if (rows === undefined && !isRowValues(indices)) return 0;
  const value = rows ?? (ArrayBuffer.isView(indices) ? indices.length : indices.size);
  if (Number.isSafeInteger(value) && value >= 1 && value < newRow) return value;
  const expected = `a positive integer${isOnDevice ? "" : ", or a u32 tensor"}`;
  const remedy = isRawMemory(value)
    ? wrapRemedy(undefined, "u32")
    : "To remove all rows, use optimizer.remove().";
  throw new GradstepError(
    `${isOnDevice ? "capacity" : "count"} is ${show(value)}; expected ${expected}. ${remedy}`,
    { code: "LENGTH_MISMATCH" },
  );
}

/** @throws {GradstepError} `UNKNOWN_PARAMETER`, `LENGTH_MISMATCH`, `INVALID_MEMORY`, `DISPOSED` */
export function checkResetRows(
  resetRows: RemapOptions["resetRows"],
  { names, count, backend }: MovedRows,
): ResetRows {
  if (resetRows === undefined) return new Map();
  if (!isByName(resetRows)) {
    checkRowValues("resetRows", resetRows, count, backend, { allowsMore: true });
    return new Map(names.map((name) => [name, resetRows]));
  }
  const named = Object.entries(resetRows);
  for (const [name, rows] of named) {
    if (!names.includes(name))
      throw new GradstepError(
        `resetRows names "${name}"; expected parameters of these rows: ${list(names)}.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    if (rows !== "all")
      checkRowValues(`resetRows of "${name}"`, rows, count, backend, { allowsMore: true });
  }
  return new Map(named);
}

/** Steps of rows are counted on the host. @throws {GradstepError} `UNSUPPORTED` */
export function checkRowStepRemap(
  records: readonly ParameterRecord[],
  sources: readonly (RowValues | "all")[],
): void {
  const counting = records.find(({ rowSteps }) => rowSteps !== undefined);
  if (counting === undefined) return;
  if (sources.every((one) => one === "all" || ArrayBuffer.isView(one))) return;
  throw new GradstepError(
    `Got a tensor of indices or flags, but each row of "${counting.name}" counts its own steps, on the host; expected a Uint32Array.`,
    { code: "UNSUPPORTED" },
  );
}

/** @throws {GradstepError} `UNSUPPORTED` where masks were combined, and indices are on a GPU */
export function checkAccumulatedRemap(
  records: readonly ParameterRecord[],
  indices: RowValues,
): void {
  const masked = records.find(
    ({ accumulator }) => accumulator?.isUsed === true && accumulator.rows !== undefined,
  );
  if (masked === undefined || ArrayBuffer.isView(indices)) return;
  throw new GradstepError(
    `Gradients of some rows of "${masked.name}" are accumulated; expected the indices as a Uint32Array, or remap() between two steps.`,
    { code: "UNSUPPORTED" },
  );
}
