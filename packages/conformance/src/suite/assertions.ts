import { GradstepError, type ErrorCode, type Values } from "@gradstep/core";
import { text } from "../checker/violation.js";

/** A property of the suite does not hold. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}

/** @throws {ConformanceError} unless the condition holds */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/**
 * The same bits, where all NaN are alike.
 *
 * @param what where the values come from: `after write`
 * @param tensor which values they are: `p of "w"`
 * @throws {ConformanceError} for the first value that differs
 */
export function assertSame(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
  tensor = "values",
): void {
  assert(
    got.length === expected.length,
    `${what}: ${tensor} has ${got.length} elements; expected ${expected.length}`,
  );
  for (let i = 0; i < got.length; i += 1) {
    if (!Object.is(got[i], expected[i]))
      throw new ConformanceError(
        `${what}: ${tensor}[${i}] is ${text(got[i])}; expected exactly ${text(expected[i])} (bound 0)`,
      );
  }
}

/**
 * The values of one mathematics in different kernels: the same bits on a backend that is exact; on others as far apart as
 * a few operations of WGSL may leave values of at least 1.
 *
 * @throws {ConformanceError} for the first value that is too far off
 */
export function assertNear(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  isExact: boolean,
  what: string,
  tensor = 'p of "w"',
): void {
  if (isExact) {
    assertSame(got, expected, what, tensor);
    return;
  }
  Array.from(expected, (value, i) => {
    const bound = 2 ** -20 * Math.max(1, Math.abs(value));
    assert(
      Math.abs(got[i] - value) <= bound,
      `${what}: ${tensor}[${i}] is ${got[i]}; expected ${value} (bound ${bound})`,
    );
  });
}

/** The same for all parameters and slots in `expected`; the message names parameter, slot and index. */
export function assertSameAll(
  got: Readonly<Record<string, Readonly<Record<string, Values>>>>,
  expected: Readonly<Record<string, Readonly<Record<string, Values>>>>,
  what: string,
): void {
  for (const [parameter, values] of Object.entries(expected))
    for (const [name, array] of Object.entries(values))
      assertSame(got[parameter][name], array, what, `${name} of "${parameter}"`);
}

/** @throws {ConformanceError} unless both are the same as JSON, where keys are sorted */
export function assertEqual(got: unknown, expected: unknown, what: string): void {
  const [one, other] = [stable(got), stable(expected)];
  assert(one === other, `${what} is ${one}; expected ${other}`);
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) =>
    one !== null && typeof one === "object" && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/**
 * Calls, awaits and expects a GradstepError of this code.
 * @throws {ConformanceError} for another error, or none
 */
export async function assertCode(
  code: ErrorCode,
  what: string,
  action: () => unknown,
): Promise<void> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  assert(thrown !== undefined, `${what}: nothing was thrown; expected ${code}`);
  if (thrown instanceof GradstepError && thrown.code === code) return;
  const got =
    thrown instanceof GradstepError
      ? `${thrown.code} (${thrown.message})`
      : thrown instanceof Error
        ? `${thrown.name}: ${thrown.message}`
        : typeof thrown;
  throw new ConformanceError(`${what}: got ${got}; expected a GradstepError with code ${code}`);
}

/** Says in which case something was found, so that it can be found again. */
export function inCase(error: unknown, where: string): Error {
  const what = error instanceof Error ? error.message : String(error);
  const located = error instanceof ConformanceError ? ConformanceError : Error;
  return new located(`${what}\n  in ${where}`, { cause: error });
}
