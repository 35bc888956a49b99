import { rules } from "@gradstep/core/rules";
import { roundToNearest } from "../bounds/error-model.js";
import { mutants as allMutants } from "../mutants/all-mutants.js";
import { runMutants, type MutantResult } from "../mutants/run-mutants.js";
import { verify, type CheckResult } from "../suite/verify.js";
import type { Candidate, OpenedBackend } from "./candidate.js";
import type { CheckedBackend, MutantDiagnosis } from "./diagnosis.js";

/** How much is checked. */
export interface Extent {
  /** Random cases per rule. */
  readonly cases: number;
  readonly seed: number;
  /** Every check of the suite, and every mutant; otherwise the bounds of each rule, and a few mutants. */
  readonly full: boolean;
}

/** How a run is stopped and watched. */
export interface CheckEvents<Result> {
  readonly signal?: AbortSignal;
  /** Called before each check, and while it runs; `check` is the one that runs. */
  readonly onProgress?: (completed: number, total: number, check?: string) => void;
  /** Called after each. */
  readonly onResult?: (result: Result) => void;
}

/** The group of checks that compares each rule with the reference in f64. */
export const boundsGroup = "bounds";

/** Compares a backend with the reference. */
export async function checkBackend(
  { name, model, wrapsArrays }: Omit<Candidate, "open">,
  {
    detail,
    isEmulated = false,
    forCheck,
  }: Pick<OpenedBackend, "detail" | "isEmulated" | "forCheck">,
  { cases, seed, full }: Extent,
  { signal, onProgress, onResult = () => {} }: CheckEvents<CheckResult> = {},
): Promise<CheckedBackend> {
  const { checks, unfinished, ...stats } = await verify(
    {
      backend: forCheck,
      model,
      wrapsArrays,
      seed,
      cases: (isEmulated && !full ? 1 : cases) * rules.length,
      ...(full ? {} : { groups: [boundsGroup], maxKernels: isEmulated ? 1 : cases }),
      ...(full && isEmulated ? { maxKernels: 4 } : {}),
    },
    {
      ...(signal === undefined ? {} : { signal }),
      onResult,
      onProgress: ({ completed, total, check: { group, name: title } }) =>
        onProgress?.(completed, total, `${group}: ${title}`),
    },
  );
  const isWrong = checks.some(({ status }) => status === "failed");
  return {
    name,
    status: isWrong ? "wrong" : unfinished > 0 ? "unfinished" : "right",
    ...(detail === undefined ? {} : { detail }),
    isEmulated,
    errorModel: model.name,
    ...stats,
    checks,
    unfinished,
  };
}

/** Mutants that stand for what goes wrong in backends: lost precision, lost elements, and swapped data. */
const fewMutants = [
  "state in half precision",
  "parameters in bfloat16",
  "scalars rounded twice, to 16 bits first",
  "1 − fround(β₂) on the device",
  "root by a 12-bit reciprocal root",
  "division by a 12-bit reciprocal",
  "sums truncated, not rounded",
  "NaN becomes 0",
  "no absolute value",
  "outputs stored before the others are computed",
  "the last element is left out",
  "the first two slots swapped",
  "the gradient of the step before",
  "every run has the scalars of the first",
  "slots are not restored",
  "adam: rate off by 1e-6",
];

/** Runs the same checks on backends that are broken on purpose. */
export async function checkMutants(
  { full, seed }: Extent,
  { signal, onProgress, onResult = () => {} }: CheckEvents<MutantResult> = {},
): Promise<MutantDiagnosis> {
  let completed = 0;
  const { total, killed, falseAlarms, mutants } = await runMutants({
    model: roundToNearest,
    seed,
    cases: 64,
    ...(full ? {} : { names: fewMutants, groups: [boundsGroup] }),
    ...(signal === undefined ? {} : { signal }),
    onResult: (result) => {
      completed += 1;
      onProgress?.(completed, full ? allMutants.length : fewMutants.length);
      onResult(result);
    },
  });
  return { total, killed, falseAlarms, mutants };
}
