import { createOptimizer, type Backend } from "@gradstep/core";
import { roundToNearest, type ErrorModel } from "../bounds/model.js";
import { emptyTally, type Tally } from "../judge.js";
import { checks } from "./checks/index.js";
import { ConformanceError } from "./assert.js";
import type { Check, Context, Subject } from "./subject.js";

/** What a backend says about itself to the suite. */
export interface BackendUnderTest {
  /** Gives a fresh backend; called for every test, often several times. */
  readonly backend: () => Backend | Promise<Backend>;
  /** How far results may be from exact; rounding to nearest if left out. */
  readonly model?: ErrorModel;
  /** Whether `wrap` takes a Float32Array and works in it; true if left out. Tests that need it are skipped otherwise. */
  readonly wrapsArrays?: boolean;
  /** Random cases over the whole suite, about: 1000 if left out. */
  readonly cases?: number;
  /** Random sequences of remaps and masked steps; a fifth of the cases if left out. */
  readonly sequences?: number;
  /** Of the random cases, 1 if left out. */
  readonly seed?: number;
}

/** How a test is registered. Runners that have no third argument ignore it. */
type Register = (name: string, body: () => Promise<void>, milliseconds?: number) => unknown;

/** The functions of a test runner: vitest's, Jest's and node:test's fit. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: Register & { readonly skip: Register };
}

/** After this a test hangs; a slow machine, many cases or a slow backend are no reason to fail. */
const patience = 600_000;

/**
 * Registers the suite with a test runner:
 *
 * ```ts
 * import { conformance } from "@gradstep/conformance";
 * import { describe, test } from "vitest";
 * conformance({ backend: () => myBackend(), describe, test });
 * ```
 */
export function conformance({ describe, test, ...options }: BackendUnderTest & Runner): void {
  const context = contextOf(options);
  for (const group of new Set(checks.map((check) => check.group))) {
    describe(group, () => {
      for (const check of checks.filter((one) => one.group === group)) {
        const body = (): Promise<void> => check.run(context);
        if (isSkipped(check, context.subject)) test.skip(check.name, body);
        else test(check.name, body, patience);
      }
    });
  }
}

/** What became of one check. */
export interface CheckResult {
  readonly group: string;
  readonly name: string;
  readonly status: "passed" | "failed" | "skipped";
  /** What was found, where it failed; the capability that is missing, where it was skipped. */
  readonly reason?: string;
}

/** What the suite found in a backend. */
export interface Report extends Tally {
  readonly checks: readonly CheckResult[];
  /** Random cases that were run. */
  readonly cases: number;
}

/** Runs the suite without a test runner. @param onResult called after each check */
export async function verify(
  options: BackendUnderTest,
  onResult: (result: CheckResult) => void = () => {},
): Promise<Report> {
  const context = contextOf(options);
  const results: CheckResult[] = [];
  for (const check of checks) {
    const result = await runCheck(check, context);
    results.push(result);
    onResult(result);
  }
  return { ...context.tally, checks: results };
}

/** Runs one check. Whatever it throws is a failure. */
export async function runCheck(check: Check, context: Context): Promise<CheckResult> {
  const { group, name, needs } = check;
  if (isSkipped(check, context.subject))
    return { group, name, status: "skipped", reason: `the backend does not have ${needs}` };
  try {
    await check.run(context);
    return { group, name, status: "passed" };
  } catch (error) {
    const reason =
      error instanceof ConformanceError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    return { group, name, status: "failed", reason };
  }
}

function isSkipped({ needs }: Check, subject: Subject): boolean {
  return needs !== undefined && !subject[needs];
}

function contextOf({
  backend,
  model = roundToNearest,
  wrapsArrays = true,
  cases = 1000,
  sequences = Math.ceil(cases / 5),
  seed = 1,
}: BackendUnderTest): Context {
  return {
    subject: { backend, create: createOptimizer, model, wrapsArrays },
    cases,
    sequences,
    // Those that share a kernel differ on the host, where all backends are the same.
    allChoices: false,
    seed,
    tally: { ...emptyTally(), cases: 0 },
  };
}
