import type { Backend, RowValues, Tensor, Update } from "../../backend/backend.js";
import { isTensor } from "../../backend/is-tensor.js";
import { GradstepError, show } from "../../errors.js";
import { notLive } from "../../backend/tensor-errors.js";
import { checkIsTable, notAParameter, type Parameters } from "../parameters/parameter-checks.js";
import { checkHasRows, rowCount } from "./row-checks.js";

/** Numbers of rows: one for all parameters, or by their names. A tensor's first u32 is the number. */
export type RowCounts<T extends Tensor = Tensor> =
  | number
  | T
  | Readonly<Record<string, number | T>>;

/** A number of rows below that of the tensors: the rows from this number on are left out. */
export interface RowLimit<M extends RowValues = RowValues> {
  /** A number, or a tensor whose first u32 is the number. */
  readonly count: Tensor | number;
  /** Selects the rows below the number. */
  readonly mask: M;
}

/** @throws {GradstepError} `INVALID_MEMORY`, `UNSUPPORTED`, `DISPOSED` */
export function rowLimitOf(count: Tensor, backend: Backend): RowLimit<Tensor> {
  if (backend.rowLimit === undefined) {
    throw new GradstepError(
      `Got a tensor as count, but backend ${backend.name} cannot read it when it moves rows; expected a number.`,
      { code: "UNSUPPORTED" },
    );
  }
  if (count.backend !== backend || count.layout?.dtype !== "u32") {
    throw new GradstepError(
      `count is ${show(count)}; expected a number, or a u32 tensor of the parameters' backend: backend.wrap(buffer, { shape: [1], dtype: "u32" }).`,
      { code: "INVALID_MEMORY" },
    );
  }
  if (count.freed) throw notLive("count", count);
  return { count, mask: backend.rowLimit(count) };
}

/**
 * The limits of parameters that are added, by their names.
 * @throws {GradstepError} `UNKNOWN_PARAMETER`, `INVALID_PARAMETER`, `INVALID_SHAPE`, `LENGTH_MISMATCH`,
 * `INVALID_MEMORY`, `UNSUPPORTED`, `DISPOSED`
 */
export function rowLimitsOf(
  counts: RowCounts,
  parameters: Parameters,
  backend: Backend,
): ReadonlyMap<string, RowLimit> {
  const isOne = typeof counts === "number" || isTensor(counts);
  if (!isOne) checkIsTable("rowCounts", counts, "a number of rows, or numbers by parameter name");
  const named = isOne
    ? Object.keys(parameters).map((name) => [name, counts] as const)
    : Object.entries(counts);
  const limits = named.map(([name, count]): [string, RowLimit | undefined] => {
    if (!Object.hasOwn(parameters, name))
      throw notAParameter("rowCounts", name, Object.keys(parameters));
    const rows = rowCount(name, parameters[name]);
    checkHasRows(backend);
    if (isTensor(count)) return [name, rowLimitOf(count, backend)];
    if (Number.isSafeInteger(count) && count >= 0 && count <= rows)
      return [name, rowLimitAt(count, rows, backend)];
    throw new GradstepError(
      `The row count of "${name}" is ${show(count)}; expected an integer from 0 to ${rows}, the rows of its tensor, or a u32 tensor.`,
      { code: "LENGTH_MISMATCH" },
    );
  });
  return new Map(limits.flatMap(([name, limit]) => (limit === undefined ? [] : [[name, limit]])));
}

/**
 * The limit of a state, on any backend that supports rows; undefined if all `rows` are below the number.
 * @throws {GradstepError} `OUT_OF_MEMORY`
 */
export function rowLimitAt(count: number, rows: number, backend: Backend): RowLimit | undefined {
  if (count >= rows) return undefined;
  const mask =
    backend.rowLimit?.(count) ?? Uint32Array.from({ length: rows }, (_, row) => +(row < count));
  return { count, mask };
}

/** The number of rows that are not left out. */
export async function readRowLimit({ count }: RowLimit, rows: number): Promise<number> {
  return Math.min(typeof count === "number" ? count : (await count.read())[0], rows);
}

/** The mask that a step was given for a parameter, and not that of its number of rows. */
export function givenMask({
  update: { mask },
  rowLimit,
}: {
  readonly update: Update;
  readonly rowLimit: RowLimit | undefined;
}): RowValues | undefined {
  return mask === rowLimit?.mask ? undefined : mask;
}
