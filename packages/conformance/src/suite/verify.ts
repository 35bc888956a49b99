import type { CheckStats } from "../checker/check-stats.js";
import { ConformanceError } from "./assertions.js";
import { skipReason } from "./skip-reason.js";
import type { Check, Context } from "./check.js";
import { suiteOf, type SuiteOptions } from "./options.js";

/** The result of one check. */
export interface CheckResult {
  readonly group: string;
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed, or which capability is missing. */
  readonly reason?: string;
}

/** The results of the suite for one backend. */
export interface Report extends CheckStats {
  readonly checks: readonly CheckResult[];
  /** The number of random cases. */
  readonly cases: number;
}

/**
 * Runs the suite without a test runner.
 *
 * @param onResult called after each check
 * @throws {GradstepError} `INVALID_RULE` if `rules` has something that is not a rule
 */
export async function verify(
  options: SuiteOptions,
  onResult: (result: CheckResult, total: number) => void = () => {},
): Promise<Report> {
  const { checks, context } = suiteOf(options);
  const results: CheckResult[] = [];
  for (const check of checks) {
    const result = await runCheck(check, context);
    results.push(result);
    onResult(result, checks.length);
  }
  return { ...context.stats, checks: results };
}

/** Runs one check. Whatever it throws is a failure. */
export async function runCheck(check: Check, context: Context): Promise<CheckResult> {
  const { group, name } = check;
  try {
    const reason = await skipReason(check, context);
    if (reason !== undefined) return { group, name, status: "skipped", reason };
    await check.run(context);
    return { group, name, status: "passed" };
  } catch (error) {
    return { group, name, status: "failed", reason: reasonOf(error) };
  }
}

/** A finding of the suite in its own words, any other error with its stack. */
function reasonOf(error: unknown): string {
  if (error instanceof ConformanceError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
