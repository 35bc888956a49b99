import type { CheckResult } from "../src/suite/verify.js";

/** For tests of the suite itself, not of a backend. */
export const little = { cases: 1, maxKernels: 2 };

/** The checks that ended so. */
export function named(
  checks: readonly CheckResult[],
  status: CheckResult["status"],
): readonly string[] {
  return checks
    .filter((one) => one.status === status)
    .map(({ group, name }) => `${group}: ${name}`);
}
