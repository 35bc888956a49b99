import { GradstepError, show } from "@gradstep/core";
import { checkOptions } from "@gradstep/core/internal";
import { rules } from "@gradstep/core/rules";
import { roundToNearest, type ErrorModel } from "../bounds/error-model.js";
import { emptyStats } from "../checker/check-stats.js";
import type { Check, Context, Target } from "../suite/check.js";
import { checksFor } from "../suite/checks/all-checks.js";
import { checksOfGroups } from "../suite/options.js";
import { yieldToTasks } from "../suite/event-loop.js";
import {
  checkBackendOption,
  checkInteger,
  checkModel,
  checkNames,
  checkWatching,
} from "../option-checks.js";
import { runCheck } from "../suite/verify.js";
import { mutants } from "./all-mutants.js";
import { closureKernel } from "./backends/closure-kernel.js";
import { withLayouts } from "./backends/faulty-layouts.js";
import { soundRepeats } from "./backends/repeat-mutants.js";
import { mutableReference, target, withRun } from "./mutable-target.js";
import type { Mutant } from "./mutant.js";
import { sampleOf, type Sample } from "./sample.js";

/** The result of one mutant. */
export interface MutantResult {
  readonly name: string;
  readonly kind: Mutant["kind"];
  /** The first check that failed, and its message; null for a survivor. */
  readonly killedBy: { readonly check: string; readonly reason: string } | null;
}

/** The results of all mutants that were run. */
export interface MutantReport {
  readonly total: number;
  readonly killed: number;
  /** Names of the mutants that no check noticed: gaps of the suite. */
  readonly survivors: readonly string[];
  /** Names of the mutants that the error model allows, which are not run. */
  readonly allowed: readonly string[];
  /** Checks that fail without a bug. */
  readonly falseAlarms: readonly string[];
  readonly mutants: readonly MutantResult[];
}

/** Options of `runMutants`. */
export interface MutantOptions {
  /** Random cases per mutant, 64 if left out. A check runs every choice of options of its rule in any case. */
  readonly cases?: number | undefined;
  /** Seed of the random cases, 1 if left out. */
  readonly seed?: number | undefined;
  /** Runs only the mutants of these names, and fewer checks without a bug; all if left out. */
  readonly names?: readonly string[] | undefined;
  /** Runs only the checks of these groups, such as `["bounds"]`; all if left out. */
  readonly groups?: readonly string[] | undefined;
  /** Runs only this many mutants, and fewer checks without a bug. */
  readonly sample?: Sample | undefined;
  /** The error model; rounding to nearest if left out. */
  readonly model?: ErrorModel | undefined;
  /**
   * The backend of mutants of rules and of the optimizer: the f32 reference if left out. Mutants of backends are always
   * mutants of the reference.
   */
  readonly backend?: Target["backend"] | undefined;
  /** Stops the run before the next check; the report has the mutants that ended. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each mutant. */
  readonly onResult?: ((result: MutantResult) => void) | undefined;
}

/**
 * Tests the suite: runs its checks against each mutant until one fails, and against targets without a bug, where none
 * may fail.
 *
 * @throws {GradstepError} `UNKNOWN_OPTION`, also for a mutant or a group that does not exist; `INVALID_HYPERPARAMETER`
 */
export async function runMutants(options: MutantOptions = {}): Promise<MutantReport> {
  checkMutantOptions(options);
  const {
    cases = 64,
    seed = 1,
    names,
    groups,
    sample,
    model = roundToNearest,
    backend = mutableReference,
    signal,
    onResult = () => {},
  } = options;
  const contextOf = (one: Target, allChoices: boolean): Context => ({
    target: { ...one, model, backend: one.backend === mutableReference ? backend : one.backend },
    cases: allChoices ? cases : 1,
    sequences: 16,
    allChoices,
    maxKernels: allChoices ? Infinity : 4,
    seed,
    stats: emptyStats(),
  });
  const checks = checksOfGroups(checksFor(rules), groups);
  const isStopped = async (): Promise<boolean> => {
    await yieldToTasks();
    return signal?.aborted === true;
  };
  const part = sample ?? (names && { seed });
  const withoutBug = sampleOf(targetsWithoutBug(), part && { ...part, count: 1 });
  const falseAlarms = await failuresOf(
    withoutBug.map((one) => contextOf(one, part === undefined)),
    sampleOf(checks, part && { ...part, count: 40 }),
    isStopped,
  );
  const isAllowed = (mutant: Mutant): boolean => mutant.isAllowed?.(model) ?? false;
  const named = mutantsNamed(names);
  const forbidden = named.filter((one) => !isAllowed(one));
  const results: MutantResult[] = [];
  for (const mutant of sampleOf(forbidden, sample)) {
    const result = await runMutant(mutant, contextOf(mutant.target(), true), checks, isStopped);
    if (result === undefined) break;
    results.push(result);
    onResult(result);
  }
  const survivors = results.filter(({ killedBy }) => killedBy === null).map(({ name }) => name);
  return {
    total: results.length,
    killed: results.length - survivors.length,
    survivors,
    allowed: named.filter(isAllowed).map(({ name }) => name),
    falseAlarms,
    mutants: results,
  };
}

/** @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER` */
function checkMutantOptions(options: MutantOptions): void {
  const watching = ["signal", "onResult"];
  const known = ["cases", "seed", "names", "groups", "sample", "model", "backend"];
  checkOptions("runMutants", options, [...known, ...watching]);
  const { cases, seed, names, groups, sample, model, backend, signal, onResult } = options;
  checkInteger("runMutants", "cases", cases, 1);
  checkInteger("runMutants", "seed", seed, 0);
  checkNames("runMutants", "names", names, "NaN becomes 0");
  checkNames("runMutants", "groups", groups, "bounds");
  checkModel("runMutants", model);
  if (backend !== undefined) checkBackendOption("runMutants", backend);
  checkWatching("runMutants", { signal, onResult }, watching);
  if (sample === undefined) return;
  checkOptions("runMutants: sample", sample, ["count", "seed"]);
  checkInteger("runMutants: sample", "count", sample.count ?? null, 1);
  checkInteger("runMutants: sample", "seed", sample.seed ?? null, 0);
}

/** @throws {GradstepError} `UNKNOWN_OPTION` for a name that no mutant has */
function mutantsNamed(names: readonly string[] | undefined): readonly Mutant[] {
  if (names === undefined) return mutants;
  const unknown = names.find((name) => !mutants.some((mutant) => mutant.name === name));
  if (unknown !== undefined) {
    throw new GradstepError(`names has ${show(unknown)}; expected names of mutants.`, {
      code: "UNKNOWN_OPTION",
    });
  }
  return mutants.filter(({ name }) => names.includes(name));
}

/** Made by the same means as the mutants. */
function targetsWithoutBug(): readonly Target[] {
  return [
    target(),
    target({ backend: withRun((run, variant) => closureKernel(run, variant, {})) }),
    target({ backend: () => withLayouts({}) }),
    soundRepeats.target(),
  ];
}

/** The checks that fail. */
async function failuresOf(
  contexts: readonly Context[],
  checks: readonly Check[],
  isStopped: () => Promise<boolean>,
): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const context of contexts) {
    for (const check of checks) {
      if (await isStopped()) return failures;
      const { status } = await runCheck(check, context);
      if (status === "failed") failures.push(`${check.group}: ${check.name}`);
    }
  }
  return failures;
}

const fewCases = { cases: 1, sequences: 2, allChoices: false, maxKernels: 2 };

/** Undefined if it was stopped. */
async function runMutant(
  { name, kind, rule, group }: Mutant,
  context: Context,
  checks: readonly Check[],
  isStopped: () => Promise<boolean>,
): Promise<MutantResult | undefined> {
  const isFirst = (check: Check): boolean =>
    check.group === group ||
    (rule !== undefined && check.group === "bounds" && check.name === rule);
  const others = checks.filter((check) => !isFirst(check));
  // A few cases of each check are enough for most mutants, and take less time than all cases of one.
  const rounds: readonly (readonly [readonly Check[], Context])[] = [
    [checks.filter(isFirst), context],
    [others, { ...context, ...fewCases }],
    [others, context],
  ];
  for (const [some, input] of rounds) {
    for (const check of some) {
      if (await isStopped()) return undefined;
      const { status, reason = "" } = await runCheck(check, input);
      if (status === "failed")
        return { name, kind, killedBy: { check: `${check.group}: ${check.name}`, reason } };
    }
  }
  return { name, kind, killedBy: null };
}
