import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";

/**
 * The number of values in a shape.
 * @throws {GradstepError} `INVALID_SHAPE` unless it is an array of positive integers
 */
export function sizeOf(shape: readonly number[]): number {
  const valid =
    isArray(shape) &&
    // A copy, because `every` skips the holes of an array.
    [...shape].every((length) => Number.isSafeInteger(length) && length > 0);
  const size = valid ? shape.reduce((product, length) => product * length, 1) : Number.NaN;
  if (!Number.isSafeInteger(size)) {
    throw new GradstepError(
      `Got shape ${show(shape)}; expected an array of positive integers, such as [784, 10], or [] for one number.`,
      {
        code: "INVALID_SHAPE",
      },
    );
  }
  return size;
}

/** Whether two shapes are equal. */
export function isSameShape(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i += 1) if (one[i] !== other[i]) return false;
  return true;
}

/** @throws {GradstepError} `LENGTH_MISMATCH` */
export function checkLength(what: string, length: number, expected: number): void {
  if (length !== expected) {
    throw new GradstepError(`${what} has ${length} values; expected ${expected}.`, {
      code: "LENGTH_MISMATCH",
    });
  }
}
