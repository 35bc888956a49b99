import type { Backend, RowValues, Tensor } from "../../backend/backend.js";
import { GradstepError, show } from "../../errors.js";
import { notLive } from "../parameters/parameter-checks.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";

/** A number of rows that is smaller than that of the tensors: the rows from it on are left out. */
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
export function givenMask({ update: { mask }, rowLimit }: ParameterRecord): RowValues | undefined {
  return mask === rowLimit?.mask ? undefined : mask;
}
