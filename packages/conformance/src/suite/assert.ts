import { GradstepError, type ErrorCode, type Values } from "@gradstep/core";

/** Something that must hold of a backend does not. */
export class ConformanceError extends Error {
  override readonly name = "ConformanceError";
}

/** @throws {ConformanceError} unless the condition holds */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ConformanceError(message);
}

/** Equal bits, with all NaN alike. @throws {ConformanceError} naming the first element that differs */
export function assertSame(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
): void {
  assert(
    got.length === expected.length,
    `${what}: ${got.length} values; expected ${expected.length}`,
  );
  for (let i = 0; i < got.length; i += 1) {
    if (!Object.is(got[i], expected[i]))
      throw new ConformanceError(`${what}: element ${i} is ${got[i]}; expected ${expected[i]}`);
  }
}

/** The same for all parameters and slots. */
export function assertSameAll(
  got: Readonly<Record<string, Readonly<Record<string, Values>>>>,
  expected: Readonly<Record<string, Readonly<Record<string, Values>>>>,
  what: string,
): void {
  for (const [parameter, values] of Object.entries(expected))
    for (const [name, array] of Object.entries(values))
      assertSame(got[parameter][name], array, `${what}: ${name} of ${parameter}`);
}

/** Calls, awaits and expects a GradstepError of this code. */
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
  const got = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : typeof thrown;
  throw new ConformanceError(`${what}: got ${got}; expected a GradstepError with code ${code}`);
}
