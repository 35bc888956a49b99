import { GradstepError, show } from "../errors.js";
import { sizeOf } from "./shape.js";
import type { WrapOptions } from "./wrapping-backend.js";

/** Where the values of a tensor are in memory that is wrapped. All but the capacity is counted in values. */
export interface WrappedExtent {
  readonly shape: readonly number[];
  readonly offset: number;
  readonly columns: number;
  readonly rowStride: number;
  /** In rows. */
  readonly capacity: number;
}

/**
 * Checks where a tensor is to be in memory, and fills in the defaults.
 *
 * @param length how many values the memory has
 * @param memory what it is, for messages
 * @param unit after "values" in messages
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`
 */
export function wrappedExtent(
  length: number,
  options: WrapOptions,
  memory = "array",
  unit = "",
): WrappedExtent {
  const { offset = 0 } = options;
  const check = (isValid: boolean, message: string): void => {
    if (!isValid) throw new GradstepError(message, { code: "INVALID_MEMORY" });
  };
  const isCount = (value: unknown, least: number): boolean =>
    Number.isSafeInteger(value) && (value as number) >= least;
  check(
    isCount(offset, 0) && offset < length,
    `Got offset ${show(offset)}; expected an integer from 0 to ${length - 1}, counted in values${unit}.`,
  );
  if (options.shape === undefined && options.rowStride !== undefined) {
    throw new GradstepError(
      "Got a rowStride without a shape; expected both, such as { shape: [rows, 3], rowStride: 16 }.",
      { code: "INVALID_SHAPE" },
    );
  }
  const { shape = [length - offset] } = options;
  const size = sizeOf(shape);
  const [rows = 1] = shape;
  const columns = size / rows;
  const { rowStride = columns, capacity = rows } = options;
  const ofShape = `of shape ${show(shape)}`;
  check(
    isCount(rowStride, columns),
    `Got rowStride ${show(rowStride)}; expected an integer of at least ${columns}, the length of a row ${ofShape}.`,
  );
  check(
    options.capacity === undefined || (shape.length > 0 && isCount(capacity, rows)),
    `Got capacity ${show(capacity)}; expected ${shape.length > 0 ? `an integer of at least ${rows}, the rows` : "none"} ${ofShape}.`,
  );
  const needed = offset + (capacity - 1) * rowStride + columns;
  check(
    needed <= length,
    `A tensor ${ofShape} at offset ${offset}${capacity > rows ? `, with a capacity of ${capacity} rows,` : ""} needs ${needed} values${unit}; the ${memory} has ${length}. Use a larger ${memory}, or fewer rows.`,
  );
  return { shape, offset, columns, rowStride, capacity };
}
