import { checkChoice } from "../argument-checks/check-choice.js";
import { checkOptions } from "../argument-checks/check-options.js";
import {
  checkNumbers,
  checkRange,
  checkSteps,
  defineSchedule,
  fraction,
  positive,
  type Schedule,
} from "./schedule.js";

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** The part of all steps in which the value grows, from 0 to 1. 0.3 if left out. */
  readonly warmupFraction?: number | undefined;
  /** The highest value divided by the first one. 25 if left out. */
  readonly divFactor?: number | undefined;
  /** The first value divided by the last one. 10,000 if left out. */
  readonly finalDivFactor?: number | undefined;
  /** The shape of both parts. `"cosine"` if left out. */
  readonly shape?: "cosine" | "linear" | undefined;
}

/** @internal */
export const oneCycleKind = /* @__PURE__ */ defineSchedule<
  OneCycleOptions & { readonly highest: number; readonly steps: number }
>("one-cycle", (options, step) => {
  const { highest, steps, warmupFraction = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options;
  const first = highest / divFactor;
  const top = warmupFraction * steps - 1;
  const between = (from: number, to: number, completed: number): number =>
    options.shape === "linear"
      ? from + (to - from) * completed
      : to + ((from - to) / 2) * (1 + Math.cos(Math.PI * completed));
  if (step < top) return between(first, highest, step / top);
  if (step === top) return highest;
  const completed = Math.min(1, (step - top) / (steps - 1 - top));
  return between(highest, first / finalDivFactor, completed);
});

/**
 * Grows to the highest value and falls to almost 0, once over all steps: Smith & Topin 2019, in the form of
 * PyTorch's `OneCycleLR`. It stays constant after the last step.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function oneCycle(highest: number, steps: number, options: OneCycleOptions = {}): Schedule {
  checkOptions("oneCycle", options, ["warmupFraction", "divFactor", "finalDivFactor", "shape"]);
  const { warmupFraction, divFactor, finalDivFactor, shape = "cosine" } = options;
  checkNumbers("oneCycle", { highest }, { warmupFraction, divFactor, finalDivFactor });
  checkRange("oneCycle", "warmupFraction", warmupFraction, fraction);
  checkRange("oneCycle", "divFactor", divFactor, positive);
  checkRange("oneCycle", "finalDivFactor", finalDivFactor, positive);
  checkSteps("oneCycle", "steps", steps);
  checkChoice("oneCycle", "shape", shape, ["cosine", "linear"]);
  return oneCycleKind({ highest, steps, ...options });
}

/** Options of `cyclical`. */
export interface CyclicalOptions {
  /**
   * How the height of cycles changes: not at all, halved with each cycle, or multiplied by `decayRate` with each step.
   * `"triangular"` if left out.
   */
  readonly mode?: "triangular" | "halved" | "exponential" | undefined;
  /** 1 if left out. */
  readonly decayRate?: number | undefined;
}

/** @internal */
export const cyclicalKind = /* @__PURE__ */ defineSchedule<
  CyclicalOptions & { readonly low: number; readonly high: number; readonly halfCycle: number }
>("cyclical", ({ low, high, halfCycle, mode = "triangular", decayRate = 1 }, step) => {
  const cycle = Math.floor(1 + step / (2 * halfCycle));
  const height = Math.max(0, 1 - Math.abs(step / halfCycle - 2 * cycle + 1));
  const scale =
    mode === "halved" ? 2 ** (1 - cycle) : mode === "exponential" ? decayRate ** step : 1;
  return low + (high - low) * height * scale;
});

/**
 * From `low` to `high` and back, again and again: Smith 2017; PyTorch's `CyclicLR`.
 * @param halfCycle number of steps from low to high
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function cyclical(
  low: number,
  high: number,
  halfCycle: number,
  options: CyclicalOptions = {},
): Schedule {
  checkOptions("cyclical", options, ["mode", "decayRate"]);
  checkNumbers("cyclical", { low, high }, { decayRate: options.decayRate });
  checkSteps("cyclical", "halfCycle", halfCycle);
  const { mode = "triangular" } = options;
  checkChoice("cyclical", "mode", mode, ["triangular", "halved", "exponential"]);
  return cyclicalKind({ low, high, halfCycle, ...options });
}

/** Options of `warmupStableDecay`. */
export interface WarmupStableDecayOptions {
  readonly warmupSteps: number;
  readonly stableSteps: number;
  readonly decaySteps: number;
  /** The last value. 0 if left out. */
  readonly end?: number | undefined;
  /** The shape of the decay: `"sqrt"` is 1 − √completed. `"linear"` if left out. */
  readonly shape?: "linear" | "sqrt" | "cosine" | undefined;
}

/** @internal */
export const warmupStableDecayKind = /* @__PURE__ */ defineSchedule<
  WarmupStableDecayOptions & { readonly highest: number }
>("warmup-stable-decay", (options, step) => {
  const { highest, warmupSteps, stableSteps, decaySteps, end = 0, shape = "linear" } = options;
  if (step < warmupSteps) return highest * (step / warmupSteps);
  const completed = Math.min(1, Math.max(0, step - warmupSteps - stableSteps) / decaySteps);
  const remaining = {
    linear: 1 - completed,
    sqrt: 1 - Math.sqrt(completed),
    cosine: 0.5 * (1 + Math.cos(Math.PI * completed)),
  }[shape];
  return end + (highest - end) * remaining;
});

/**
 * Grows linearly to the highest value, stays there, and decays at the end: Hu et al. 2024 (MiniCPM); Hägele et al. 2024
 * for the shape `sqrt`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function warmupStableDecay(highest: number, options: WarmupStableDecayOptions): Schedule {
  const known = ["warmupSteps", "stableSteps", "decaySteps", "end", "shape"];
  checkOptions("warmupStableDecay", options, known);
  const { warmupSteps, stableSteps, decaySteps, end, shape = "linear" } = options;
  checkNumbers("warmupStableDecay", { highest }, { end });
  for (const [name, steps] of Object.entries({ warmupSteps, stableSteps }))
    if (steps !== 0) checkSteps("warmupStableDecay", name, steps);
  checkSteps("warmupStableDecay", "decaySteps", decaySteps);
  checkChoice("warmupStableDecay", "shape", shape, ["linear", "sqrt", "cosine"]);
  return warmupStableDecayKind({ highest, ...options });
}
