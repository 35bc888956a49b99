import { addStats, emptyStats, type CheckStats } from "../checker/check-stats.js";
import { ConformanceError } from "./assertions.js";
import { yieldToTasks } from "./event-loop.js";
import { skipReason } from "./skip-reason.js";
import type { Check, Context } from "./check.js";
import { checkWatching } from "../option-checks.js";
import { checkSuiteOptions, suiteOf, type SuiteOptions } from "./options.js";

/** The result of one check. */
export interface CheckResult {
  readonly group: string;
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed, or which capability is missing. */
  readonly reason?: string;
  /** What the check found in the values that it compared with their bounds; nothing for a check of another kind. */
  readonly stats: CheckStats;
}

/** The results of the suite for one backend. */
export interface Report extends CheckStats {
  readonly checks: readonly CheckResult[];
  /** The number of checks that the signal left out: one that it stopped, and those after it. */
  readonly unfinished: number;
}

/** How far a run of the suite is. */
export interface VerifyProgress {
  /** Checks that have ended. */
  readonly completed: number;
  readonly total: number;
  /** The check that runs. */
  readonly check: Pick<Check, "group" | "name">;
  /** Random cases so far, of all checks. */
  readonly cases: number;
}

/** How a run of the suite is watched and stopped. */
export interface VerifyOptions {
  /** Stops the run where a check makes its next backend. */
  readonly signal?: AbortSignal | undefined;
  /** Called before each check, and each time a check makes a backend, which it does for each case. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
  /** Called after each check. */
  readonly onResult?: ((result: CheckResult) => void) | undefined;
}

/**
 * Runs the suite without a test runner.
 *
 * @returns the results of the checks that ended
 * @throws {GradstepError} `INVALID_RULE` if `rules` has something that is not a rule; `UNKNOWN_OPTION`, also for a group
 * that does not exist; `INVALID_HYPERPARAMETER` for any other option that is not what it must be
 */
export async function verify(options: SuiteOptions, watching: VerifyOptions = {}): Promise<Report> {
  checkSuiteOptions("verify", options);
  checkWatching("The second argument of verify", watching, ["signal", "onProgress", "onResult"]);
  const { signal, onProgress = () => {}, onResult = () => {} } = watching;
  let check: Check | undefined;
  const results: CheckResult[] = [];
  const total = emptyStats();
  let current = emptyStats();
  const report = (): void => {
    if (check === undefined) return;
    const cases = total.cases + current.cases;
    onProgress({ completed: results.length, total: checks.length, check, cases });
  };
  const { checks, context } = suiteOf({
    ...options,
    backend: async () => {
      await yieldToTasks();
      signal?.throwIfAborted();
      report();
      return options.backend();
    },
  });
  const isStopped = (): boolean => signal?.aborted === true;
  for (check of checks) {
    if (isStopped()) break;
    current = emptyStats();
    report();
    const result = await runCheck(check, { ...context, stats: current });
    addStats(total, current);
    current = emptyStats();
    // The check that was stopped failed for no other reason.
    if (isStopped() && result.status === "failed") break;
    results.push(result);
    onResult(result);
  }
  return { ...total, checks: results, unfinished: checks.length - results.length };
}

/** Runs one check. Whatever it throws is a failure. */
export async function runCheck(check: Check, context: Context): Promise<CheckResult> {
  const { group, name } = check;
  const { stats } = context;
  try {
    const reason = await skipReason(check, context);
    if (reason !== undefined) return { group, name, status: "skipped", reason, stats };
    await check.run(context);
    return { group, name, status: "passed", stats };
  } catch (error) {
    return { group, name, status: "failed", reason: reasonOf(error), stats };
  }
}

/** A finding of the suite in its own words, any other error with its stack. */
function reasonOf(error: unknown): string {
  if (error instanceof ConformanceError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
