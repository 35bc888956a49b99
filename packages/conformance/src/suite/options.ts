import { createOptimizer, GradstepError, show, type Backend, type Rule } from "@gradstep/core";
import { checkOptions, checkRule, checkSwitch } from "@gradstep/core/internal";
import { rules as builtInRules } from "@gradstep/core/rules";
import { roundToNearest, type ErrorModel } from "../bounds/error-model.js";
import { emptyStats } from "../checker/check-stats.js";
import {
  checkBackendOption,
  checkInteger,
  checkModel,
  checkNames,
  makeBackend,
} from "../option-checks.js";
import type { Check, Context } from "./check.js";
import { checksFor } from "./checks/all-checks.js";

/** Options of the suite: the backend, its capabilities, and how much to run. */
export interface SuiteOptions {
  /** Returns a fresh backend. Called for every test, often several times. */
  readonly backend: () => Backend | Promise<Backend>;
  /** How far results may be from exact; rounding to nearest if left out. */
  readonly model?: ErrorModel | undefined;
  /** Whether `wrap` takes a Float32Array and updates it in place; true if left out. False skips the tests that need it. */
  readonly wrapsArrays?: boolean | undefined;
  /**
   * Whether the backend moves rows and applies masks. Left out, the suite looks whether a fresh backend has `remap`.
   * False skips the tests that need it.
   */
  readonly rows?: boolean | undefined;
  /**
   * Whether the backend runs rules with reductions, and with slots per row, column or tensor; true if left out. False
   * skips the tests that need it, for a backend of elementwise rules alone.
   */
  readonly reductions?: boolean | undefined;
  /** Whether the backend runs rules with `newtonSchulz`; true if left out. False skips the tests that need it. */
  readonly matrixProducts?: boolean | undefined;
  /**
   * Whether a mask can be a tensor of flags. Left out, the suite looks whether a fresh backend has `maskOf`. False skips
   * the tests that need it.
   */
  readonly maskTensors?: boolean | undefined;
  /**
   * The rules to check, such as what `defineRule` returns. The built-in rules if left out. The tests of the backend
   * itself (tensors, order of calls, errors) run in either case.
   */
  readonly rules?: readonly Rule[] | undefined;
  /** Runs only the checks of these groups, such as `["bounds"]`; all if left out. */
  readonly groups?: readonly string[] | undefined;
  /** The approximate number of random cases in the whole suite: 1000 if left out. */
  readonly cases?: number | undefined;
  /** Random sequences of remaps and masked steps: a fifth of the cases if left out. */
  readonly sequences?: number | undefined;
  /**
   * The most kernels per rule that random cases compile, chosen by the seed: all if left out. For quick runs on a
   * backend that compiles slowly.
   */
  readonly maxKernels?: number | undefined;
  /** Seed of the random cases: 1 if left out. */
  readonly seed?: number | undefined;
}

/** The options that are true or false. */
const switches = ["wrapsArrays", "rows", "reductions", "matrixProducts", "maskTensors"] as const;

/**
 * Checks options, apart from the rules and the names of groups.
 *
 * @param what the function that got them, as messages begin
 * @param others the options that the function has besides
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function checkSuiteOptions(
  what: string,
  options: SuiteOptions,
  others: readonly string[] = [],
): void {
  const known = ["backend", "model", ...switches, "rules", "groups", "cases", "sequences"];
  checkOptions(what, options, [...known, "maxKernels", "seed", ...others]);
  checkBackendOption(what, options.backend);
  checkModel(what, options.model);
  for (const name of switches) checkSwitch(what, name, options[name]);
  checkNames(what, "groups", options.groups, "bounds");
  checkInteger(what, "cases", options.cases, 1);
  checkInteger(what, "sequences", options.sequences, 0);
  if (options.maxKernels !== Infinity) checkInteger(what, "maxKernels", options.maxKernels, 1);
  checkInteger(what, "seed", options.seed, 0);
}

/**
 * The checks that these options ask for, and their input.
 * @throws {GradstepError} `INVALID_RULE`; `UNKNOWN_OPTION` for a group that does not exist
 */
export function suiteOf({
  backend,
  model = roundToNearest,
  wrapsArrays = true,
  rows,
  reductions,
  matrixProducts,
  maskTensors,
  rules,
  groups,
  cases = 1000,
  sequences = Math.ceil(cases / 5),
  maxKernels = Infinity,
  seed = 1,
}: SuiteOptions): { readonly checks: readonly Check[]; readonly context: Context } {
  const target = {
    backend: () => makeBackend(backend),
    create: createOptimizer,
    model,
    wrapsArrays,
    rows,
    reductions,
    matrixProducts,
    maskTensors,
  };
  return {
    checks: checksOfGroups(checksFor(rules === undefined ? builtInRules : rulesOf(rules)), groups),
    context: {
      target,
      cases,
      sequences,
      // Choices that share a kernel differ only on the host, where all backends are the same.
      allChoices: false,
      maxKernels,
      seed,
      stats: emptyStats(),
    },
  };
}

/**
 * The checks of some groups, in their order; all without a list of groups.
 * @throws {GradstepError} `UNKNOWN_OPTION` for a group that does not exist
 */
export function checksOfGroups(
  checks: readonly Check[],
  groups: readonly string[] | undefined,
): readonly Check[] {
  if (groups === undefined) return checks;
  const known = [...new Set(checks.map(({ group }) => group))];
  const unknown = groups.find((group) => !known.includes(group));
  if (unknown !== undefined) {
    throw new GradstepError(
      `groups has ${show(unknown)}; expected groups of checks: ${known.join(", ")}.`,
      { code: "UNKNOWN_OPTION" },
    );
  }
  return checks.filter(({ group }) => groups.includes(group));
}

/**
 * Checks a list of rules.
 * @throws {GradstepError} `INVALID_RULE` for anything else, for none, and for two of one name
 */
function rulesOf(rules: readonly Rule[]): readonly Rule[] {
  if (!Array.isArray(rules) || rules.length === 0)
    throw invalid(`rules is ${show(rules)}; expected a list of rules, such as [adam].`);
  for (const rule of rules) checkRule("rules", rule);
  const names = rules.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw invalid(`rules has two rules named "${twice}"; give each a name of its own.`);
  return [...rules];
}

function invalid(message: string): GradstepError {
  return new GradstepError(message, { code: "INVALID_RULE" });
}
