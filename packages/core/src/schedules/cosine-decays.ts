import { checkOptions } from "../argument-checks/check-options.js";
import {
  atLeastOne,
  checkNumbers,
  checkRange,
  checkSteps,
  defineSchedule,
  type Schedule,
} from "./schedule.js";

/** Options of `cosineDecay`. */
export interface CosineDecayOptions {
  /** The last value as a fraction of the first. 0 if left out. */
  readonly alpha?: number | undefined;
  /** If given, the value grows linearly from `initial` to this in `warmupSteps` steps, and decays from there. */
  readonly warmupTarget?: number | undefined;
  /** 0 if left out. */
  readonly warmupSteps?: number | undefined;
}

/** Half a period of the cosine, from 1 to `alpha`. */
function cosine(completed: number, alpha: number, height = 1): number {
  return (1 - alpha) * (0.5 * height * (1 + Math.cos(Math.PI * completed))) + alpha;
}

/** @internal */
export const cosineDecayKind = /* @__PURE__ */ defineSchedule<
  CosineDecayOptions & { readonly initial: number; readonly decaySteps: number }
>("cosine-decay", ({ initial, decaySteps, alpha = 0, warmupTarget, warmupSteps = 0 }, step) => {
  if (warmupTarget === undefined)
    return initial * cosine(Math.min(step, decaySteps) / decaySteps, alpha);
  if (step < warmupSteps) return initial + (warmupTarget - initial) * (step / warmupSteps);
  return warmupTarget * cosine(Math.min(step - warmupSteps, decaySteps) / decaySteps, alpha);
});

/**
 * From `initial` to `alpha`·`initial` along half a cosine: Loshchilov & Hutter 2017; Keras's `CosineDecay`, with its
 * warm-up.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function cosineDecay(
  initial: number,
  decaySteps: number,
  options: CosineDecayOptions = {},
): Schedule {
  checkOptions("cosineDecay", options, ["alpha", "warmupTarget", "warmupSteps"]);
  const { alpha, warmupTarget, warmupSteps } = options;
  checkNumbers("cosineDecay", { initial }, { alpha, warmupTarget });
  checkSteps("cosineDecay", "decaySteps", decaySteps);
  if (warmupSteps !== undefined && warmupSteps !== 0)
    checkSteps("cosineDecay", "warmupSteps", warmupSteps);
  return cosineDecayKind({ initial, decaySteps, ...options });
}

/**
 * A cosine from `initial` to `end` in half a period, and back in the next: PyTorch's `CosineAnnealingLR`.
 * @internal
 */
export const cosineAnnealingKind = /* @__PURE__ */ defineSchedule<{
  readonly initial: number;
  readonly end: number;
  readonly halfPeriod: number;
}>(
  "cosine-annealing",
  ({ initial, end, halfPeriod }, step) =>
    end + ((initial - end) * (1 + Math.cos((Math.PI * step) / halfPeriod))) / 2,
);

/** Options of `cosineDecayRestarts`. */
export interface CosineDecayRestartsOptions {
  /** Factor from the length of one period to that of the next, 1 or more. 2 if left out. */
  readonly periodFactor?: number | undefined;
  /** Factor from the first value of one period to that of the next. 1 if left out. */
  readonly heightFactor?: number | undefined;
  /** The last value of a period as a fraction of `initial`. 0 if left out. */
  readonly alpha?: number | undefined;
}

/** @internal */
export const cosineDecayRestartsKind = /* @__PURE__ */ defineSchedule<
  CosineDecayRestartsOptions & { readonly initial: number; readonly firstDecaySteps: number }
>(
  "cosine-decay-restarts",
  ({ initial, firstDecaySteps, periodFactor = 2, heightFactor = 1, alpha = 0 }, step) => {
    let completed = step / firstDecaySteps;
    let period: number;
    if (periodFactor === 1) {
      period = Math.floor(completed);
      completed -= period;
    } else {
      period = Math.floor(Math.log(1 - completed * (1 - periodFactor)) / Math.log(periodFactor));
      const before = (1 - periodFactor ** period) / (1 - periodFactor);
      completed = (completed - before) / periodFactor ** period;
      // The quotient of logarithms is below the integer at some starts, such as those of log 243 / log 3.
      if (completed >= 1) {
        period += 1;
        completed = 0;
      }
    }
    return initial * cosine(completed, alpha, heightFactor ** period);
  },
);

/**
 * Cosine decays one after the other: SGDR, Loshchilov & Hutter 2017; Keras's `CosineDecayRestarts`, whose `t_mul` is
 * `periodFactor` and whose `m_mul` is `heightFactor`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function cosineDecayRestarts(
  initial: number,
  firstDecaySteps: number,
  options: CosineDecayRestartsOptions = {},
): Schedule {
  checkOptions("cosineDecayRestarts", options, ["periodFactor", "heightFactor", "alpha"]);
  checkNumbers("cosineDecayRestarts", { initial }, options);
  checkRange("cosineDecayRestarts", "periodFactor", options.periodFactor, atLeastOne);
  checkSteps("cosineDecayRestarts", "firstDecaySteps", firstDecaySteps);
  return cosineDecayRestartsKind({ initial, firstDecaySteps, ...options });
}
