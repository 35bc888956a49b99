import { roundToNearest, type ErrorModel } from "../bounds/model.js";
import { emptyTally } from "../judge.js";
import { checks } from "../suite/checks/index.js";
import { runCheck } from "../suite/conformance.js";
import type { Subject } from "../suite/subject.js";
import { adamMutants } from "./adam-mutants.js";
import { arithmeticMutants } from "./arithmetic-mutants.js";
import { dataMutants } from "./data-mutants.js";
import { faultyKernel } from "./kernel.js";
import type { Mutant } from "./mutant.js";
import { repeatMutants, soundRepeats } from "./repeat-mutants.js";
import { rowMutants } from "./row-mutants.js";
import { optimizerMutants } from "./optimizer-mutants.js";
import { otherRuleMutants } from "./other-rule-mutants.js";
import { breakable, subject, withRun } from "./subjects.js";

/** All of them. None is equivalent to what it was made from. */
export const mutants: readonly Mutant[] = [
  ...adamMutants,
  ...otherRuleMutants,
  ...arithmeticMutants,
  ...dataMutants,
  ...optimizerMutants,
  ...rowMutants,
  ...repeatMutants,
];

/** What became of one mutant. */
export interface MutantResult {
  readonly name: string;
  readonly kind: Mutant["kind"];
  /** The check that noticed, and what it found; null for a survivor. */
  readonly killedBy: { readonly check: string; readonly reason: string } | null;
}

/** What the mutants say about the suite. */
export interface MutantReport {
  readonly total: number;
  readonly killed: number;
  /** Names of those that no check noticed: failures of the suite. */
  readonly survivors: readonly string[];
  /** Names of those that the error model allows: under it they are no bugs, and were left out. */
  readonly allowed: readonly string[];
  /** Checks that fail without any bug: false alarms. */
  readonly falseAlarms: readonly string[];
  readonly mutants: readonly MutantResult[];
}

/** Options of `judgeSuite`. */
export interface MutantOptions {
  /** Random cases for each mutant, 64 if left out; each check goes through all options of its rule in any case. */
  readonly cases?: number;
  /** Of the random cases, 1 if left out. */
  readonly seed?: number;
  /** What results are judged by; rounding to nearest if left out. */
  readonly model?: ErrorModel;
  /**
   * On what bugs in rules and in the optimizer are run: the f32 reference if left out. Bugs in backends are always bugs
   * of the reference.
   */
  readonly backend?: Subject["backend"];
  /** Called after each mutant. */
  readonly onResult?: (result: MutantResult) => void;
}

/**
 * Judges the suite: runs its checks against each mutant until one notices, and against sound subjects, made by the same
 * means, where none may.
 */
export async function judgeSuite({
  cases = 64,
  seed = 1,
  model = roundToNearest,
  backend,
  onResult = () => {},
}: MutantOptions = {}): Promise<MutantReport> {
  const placed = (one: Subject): Subject => ({
    ...one,
    model,
    backend: one.backend === breakable ? (backend ?? breakable) : one.backend,
  });
  const falseAlarms: string[] = [];
  const sound = [
    subject(),
    subject({ backend: withRun((_, variant) => faultyKernel(variant, {})) }),
    soundRepeats.subject(),
  ];
  for (const one of sound) {
    for (const check of checks) {
      const { status } = await runCheck(check, contextOf(placed(one), cases, seed));
      if (status === "failed") falseAlarms.push(`${check.group}: ${check.name}`);
    }
  }
  const results: MutantResult[] = [];
  const isAllowed = (mutant: Mutant): boolean => mutant.isAllowed?.(model) ?? false;
  for (const mutant of mutants.filter((one) => !isAllowed(one))) {
    const result = await judge(mutant, placed(mutant.subject()), cases, seed);
    results.push(result);
    onResult(result);
  }
  const survivors = results.filter(({ killedBy }) => killedBy === null).map(({ name }) => name);
  const total = results.length;
  const allowed = mutants.filter(isAllowed).map(({ name }) => name);
  const killed = total - survivors.length;
  return { total, killed, survivors, allowed, falseAlarms, mutants: results };
}

async function judge(
  { name, kind, rule }: Mutant,
  broken: Subject,
  cases: number,
  seed: number,
): Promise<MutantResult> {
  const isFirst = (check: (typeof checks)[number]): boolean =>
    rule !== undefined && check.group === "bounds" && check.name === rule;
  const ordered = [...checks.filter(isFirst), ...checks.filter((check) => !isFirst(check))];
  for (const check of ordered) {
    const { status, reason = "" } = await runCheck(check, contextOf(broken, cases, seed));
    if (status === "failed")
      return { name, kind, killedBy: { check: `${check.group}: ${check.name}`, reason } };
  }
  return { name, kind, killedBy: null };
}

function contextOf(broken: Subject, cases: number, seed: number) {
  const tally = { ...emptyTally(), cases: 0 };
  return { subject: broken, cases, sequences: 16, allChoices: true, seed, tally };
}
