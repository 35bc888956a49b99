import { ConformanceError } from "./assertions.js";
import { declaredSkip, skipReason } from "./skip-reason.js";
import type { Check, Context } from "./check.js";
import { checkFunction } from "../option-checks.js";
import { checkSuiteOptions, suiteOf, type SuiteOptions } from "./options.js";

/** A test. Runners pass it an object with `skip` (vitest, node:test). */
type TestBody = (...input: readonly unknown[]) => Promise<void>;

/** How a test is registered. Runners without a third argument ignore it. */
type Register = (name: string, body: TestBody, timeoutMs?: number) => unknown;

/** The functions of a test runner. Those of vitest, Jest and node:test fit. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: Register & { readonly skip: Register };
}

/** Only a hang is a failure: machines, backends and the number of cases differ. */
const timeoutMs = 600_000;

/**
 * Registers the suite with a test runner:
 *
 * ```ts
 * import { conformance } from "@gradstep/conformance";
 * import { describe, test } from "vitest";
 * conformance({ backend: () => myBackend(), describe, test });
 * ```
 *
 * @throws {GradstepError} `INVALID_RULE` if `rules` has something that is not a rule; `UNKNOWN_OPTION`, also for a group
 * that does not exist; `INVALID_HYPERPARAMETER` for any other option that is not what it must be
 */
export function conformance(input: SuiteOptions & Runner): void {
  checkSuiteOptions("conformance", input, ["describe", "test"]);
  const { describe, test, ...options } = input;
  const runners = "that of vitest, Jest or node:test";
  checkFunction("conformance", "describe", describe, runners);
  checkFunction("conformance", "test", test, runners);
  checkFunction("conformance", "test.skip", test.skip, "what registers a test that is skipped");
  const { checks, context } = suiteOf(options);
  for (const group of new Set(checks.map((check) => check.group))) {
    describe(group, () => {
      for (const check of checks.filter((one) => one.group === group)) {
        const reason = declaredSkip(check, context.target);
        const body = bodyOf(check, context);
        if (reason === undefined) test(check.name, body, timeoutMs);
        else test.skip(`${check.name} (skipped: ${reason})`, body);
      }
    });
  }
}

function bodyOf(check: Check, context: Context): TestBody {
  return async (...[input]) => {
    const reason = await skipReason(check, context);
    if (reason === undefined) return check.run(context);
    const runner = Object(input) as { skip?: (reason: string) => unknown };
    if (typeof runner.skip !== "function") {
      throw new ConformanceError(
        `Cannot run: ${reason}. This test runner cannot skip a test that has started; ${check.needs?.includes("rows") === true ? "pass rows: false to conformance()" : "use one that can, such as vitest"}.`,
      );
    }
    // vitest throws here, node:test returns.
    runner.skip(reason);
  };
}
