import { checkCount } from "../check-count.js";
import { checkChoice } from "../../argument-checks/check-choice.js";
import { checkOptions } from "../../argument-checks/check-options.js";
import { GradstepError, show } from "../../errors.js";
import type {
  DynamicLossScale,
  NonFinite,
  StepControlOptions,
} from "../../rule/step-control-options.js";

/** Options with everything that was left out; a static loss scale is one that never changes. */
export interface CompleteStepControl {
  readonly accumulate: number;
  readonly schedulesCount: "steps" | "calls";
  readonly nonFinite: NonFinite;
  readonly lossScale: Required<DynamicLossScale> | undefined;
}

/** Parameters with which a scale never changes. */
const unchanging = { growthInterval: Infinity, growthFactor: 1, backoffFactor: 1 };

const dynamicDefaults = {
  initial: 2 ** 15,
  growthInterval: 2000,
  growthFactor: 2,
  backoffFactor: 0.5,
};

/**
 * Checks options and completes them; undefined if every call is a step that is taken.
 * @throws {GradstepError} `UNKNOWN_OPTION`, `INVALID_HYPERPARAMETER`
 */
export function completeStepControl(options: StepControlOptions): CompleteStepControl | undefined {
  const { accumulate = 1, schedulesCount = "steps", lossScale } = options;
  checkCount("accumulate", accumulate);
  checkChoice("createOptimizer", "schedulesCount", schedulesCount, ["steps", "calls"]);
  const scale = completeLossScale(lossScale);
  const { nonFinite = scale === undefined ? "propagate" : "skip" } = options;
  checkChoice("createOptimizer", "nonFinite", nonFinite, ["propagate", "skip", "throw"]);
  const isDynamic = typeof lossScale === "object" || lossScale === "dynamic";
  if (isDynamic && nonFinite !== "skip")
    throw new GradstepError(
      `nonFinite is "${nonFinite}" with a dynamic loss scale, which skips steps to find the largest scale; leave nonFinite out.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  if (accumulate === 1 && nonFinite === "propagate" && scale === undefined) return undefined;
  return { accumulate, schedulesCount, nonFinite, lossScale: scale };
}

/** The options that are not the defaults, as plain data. */
export function givenStepControl(complete: CompleteStepControl): StepControlOptions {
  const { accumulate, schedulesCount, nonFinite, lossScale } = complete;
  return {
    ...(accumulate > 1 && { accumulate }),
    ...(schedulesCount === "calls" && { schedulesCount }),
    ...(nonFinite !== (lossScale === undefined ? "propagate" : "skip") && { nonFinite }),
    ...(lossScale !== undefined && {
      lossScale: lossScale.growthInterval === Infinity ? lossScale.initial : lossScale,
    }),
  };
}

function completeLossScale(
  lossScale: StepControlOptions["lossScale"],
): Required<DynamicLossScale> | undefined {
  if (lossScale === undefined || lossScale === 1) return undefined;
  if (typeof lossScale === "number")
    return { initial: checkFactor("lossScale", lossScale), ...unchanging };
  if (lossScale !== "dynamic" && (lossScale === null || typeof lossScale !== "object"))
    throw invalid(
      "lossScale",
      lossScale,
      'a positive number, "dynamic", or an object of its parameters',
    );
  const given = lossScale === "dynamic" ? {} : lossScale;
  checkOptions("lossScale", given, Object.keys(dynamicDefaults));
  const complete = { ...dynamicDefaults, ...given };
  checkFactor("lossScale.initial", complete.initial);
  const { growthInterval, growthFactor, backoffFactor } = complete;
  checkCount("lossScale.growthInterval", growthInterval);
  if (!(Number.isFinite(growthFactor) && growthFactor >= 1))
    throw invalid("lossScale.growthFactor", growthFactor, "a number from 1 on");
  if (!(Number.isFinite(backoffFactor) && backoffFactor > 0 && backoffFactor <= 1))
    throw invalid("lossScale.backoffFactor", backoffFactor, "a number above 0, up to 1");
  return complete;
}

function checkFactor(name: string, value: number): number {
  if (typeof value === "number") {
    const rounded = Math.fround(value);
    if (rounded > 0 && rounded < Infinity) return value;
  }
  throw invalid(name, value, "a positive number that f32 can hold");
}

function invalid(name: string, value: unknown, expected: string): GradstepError {
  return new GradstepError(`${name} is ${show(value)}; expected ${expected}.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}
