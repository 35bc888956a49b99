import type { Values, WrapOptions } from "./backend.js";
import { checkOptions } from "../check-options.js";
import { GradstepError, show } from "../errors.js";
import { sizeOf } from "./shape.js";

/**
 * Checks the arguments of `wrap` for a typed array.
 * @returns the shape, a view of the values, and a view of the values with the capacity behind them
 * @throws {GradstepError} `INVALID_MEMORY`, `INVALID_SHAPE`, `UNKNOWN_OPTION`
 */
export function wrapArray<T extends Values>(
  kind: new (length: number) => T,
  memory: T,
  options: WrapOptions = {},
): { shape: readonly number[]; values: T; reserved: T } {
  if (!ArrayBuffer.isView(memory) || memory[Symbol.toStringTag] !== kind.name) {
    throw new GradstepError(
      `Got ${show(memory)} to wrap; expected a ${kind.name}. Convert it with new ${kind.name}(values).`,
      {
        code: "INVALID_MEMORY",
      },
    );
  }
  checkOptions("wrap", options, ["shape", "offset", "capacity"]);
  if (memory.length === 0) {
    throw new GradstepError(
      `Got an empty ${kind.name} to wrap; expected at least one value. An array is empty after its buffer was transferred.`,
      { code: "INVALID_MEMORY" },
    );
  }
  const offset = options.offset ?? 0;
  if (!Number.isSafeInteger(offset) || offset < 0 || offset >= memory.length) {
    throw new GradstepError(
      `Got offset ${show(offset)}; expected an integer from 0 to ${memory.length - 1}, counted in values.`,
      {
        code: "INVALID_MEMORY",
      },
    );
  }
  const shape = options.shape ?? [memory.length - offset];
  const size = sizeOf(shape);
  if (offset + size > memory.length) {
    throw new GradstepError(
      `Shape [${shape.join(", ")}] at offset ${offset} needs ${offset + size} values; the array has ${memory.length}.`,
      { code: "INVALID_MEMORY" },
    );
  }
  const capacity = capacityOf(shape, size, options.capacity);
  if (offset + capacity > memory.length) {
    throw new GradstepError(
      `A capacity of ${options.capacity} rows of shape [${shape.join(", ")}] at offset ${offset} needs ${offset + capacity} values; the array has ${memory.length}.`,
      { code: "INVALID_MEMORY" },
    );
  }
  return {
    shape,
    values: memory.subarray(offset, offset + size) as T,
    reserved: memory.subarray(offset, offset + capacity) as T,
  };
}

/** The number of values in a capacity of rows. @throws {GradstepError} `INVALID_MEMORY` */
function capacityOf(shape: readonly number[], size: number, capacity: unknown): number {
  if (capacity === undefined) return size;
  const [rows] = shape;
  if (rows !== undefined && Number.isSafeInteger(capacity) && (capacity as number) >= rows)
    return (capacity as number) * (size / rows);
  throw new GradstepError(
    `Got capacity ${show(capacity)}; expected ${rows === undefined ? "none, since the tensor has no rows" : `an integer from ${rows} on, counted in rows`}.`,
    { code: "INVALID_MEMORY" },
  );
}
