import type { Backend, Tensor } from "../../backend/backend.js";
import { GradstepError, show } from "../../errors.js";
import { notLive } from "../parameters/parameter-checks.js";

/** A number of rows that is on the device. */
export interface RowLimit {
  /** Its first u32 is the number. */
  readonly count: Tensor;
  /** Selects the rows below the number. */
  readonly mask: Tensor;
}

/** @throws {GradstepError} `INVALID_MEMORY`, `UNSUPPORTED`, `DISPOSED` */
export function rowLimitOf(count: Tensor, backend: Backend): RowLimit {
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
