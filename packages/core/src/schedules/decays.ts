import { checkSwitch } from "../argument-checks/check-switch.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { checkNumbers, checkSteps, defineSchedule, type Schedule } from "./schedule.js";

/** Options of `exponentialDecay` and `inverseTimeDecay`. */
export interface StaircaseOptions {
  /** Whether the value changes only every `decaySteps` steps. False if left out. */
  readonly staircase?: boolean | undefined;
}

interface RateDecay extends StaircaseOptions {
  readonly initial: number;
  readonly decaySteps: number;
  readonly decayRate: number;
}

function completed({ staircase = false, decaySteps }: RateDecay, step: number): number {
  return staircase ? Math.floor(step / decaySteps) : step / decaySteps;
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION` */
function checkedRateDecay(
  kind: string,
  { initial, decaySteps, decayRate }: Omit<RateDecay, "staircase">,
  options: StaircaseOptions,
): RateDecay {
  checkOptions(kind, options, ["staircase"]);
  checkSwitch(kind, "staircase", options.staircase);
  checkNumbers(kind, { initial, decayRate });
  checkSteps(kind, "decaySteps", decaySteps);
  return { initial, decaySteps, decayRate, ...options };
}

/** @internal */
export const exponentialDecayKind = /* @__PURE__ */ defineSchedule<RateDecay>(
  "exponential-decay",
  (options, step) => options.initial * options.decayRate ** completed(options, step),
);

/**
 * initial · decayRate^(step / decaySteps): Keras's `ExponentialDecay`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function exponentialDecay(
  initial: number,
  decaySteps: number,
  decayRate: number,
  options: StaircaseOptions = {},
): Schedule {
  return exponentialDecayKind(
    checkedRateDecay("exponentialDecay", { initial, decaySteps, decayRate }, options),
  );
}

/** @internal */
export const inverseTimeDecayKind = /* @__PURE__ */ defineSchedule<RateDecay>(
  "inverse-time-decay",
  (options, step) => options.initial / (1 + options.decayRate * completed(options, step)),
);

/**
 * initial / (1 + decayRate · step / decaySteps): Keras's `InverseTimeDecay`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function inverseTimeDecay(
  initial: number,
  decaySteps: number,
  decayRate: number,
  options: StaircaseOptions = {},
): Schedule {
  return inverseTimeDecayKind(
    checkedRateDecay("inverseTimeDecay", { initial, decaySteps, decayRate }, options),
  );
}

/** Options of `polynomialDecay`. */
export interface PolynomialDecayOptions {
  /** The last value. 0.0001 if left out. */
  readonly end?: number | undefined;
  /** 1 if left out. */
  readonly power?: number | undefined;
  /** Whether it restarts at the end, over the next multiple of `decaySteps`. False if left out. */
  readonly cycle?: boolean | undefined;
}

/** @internal */
export const polynomialDecayKind = /* @__PURE__ */ defineSchedule<
  PolynomialDecayOptions & { readonly initial: number; readonly decaySteps: number }
>("polynomial-decay", ({ initial, decaySteps, end = 1e-4, power = 1, cycle = false }, step) => {
  const total = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
  return (initial - end) * (1 - Math.min(step, total) / total) ** power + end;
});

/**
 * From `initial` to `end` as (1 − step / decaySteps)^power: Keras's `PolynomialDecay`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`
 */
export function polynomialDecay(
  initial: number,
  decaySteps: number,
  options: PolynomialDecayOptions = {},
): Schedule {
  checkOptions("polynomialDecay", options, ["end", "power", "cycle"]);
  checkSwitch("polynomialDecay", "cycle", options.cycle);
  checkNumbers("polynomialDecay", { initial }, { end: options.end, power: options.power });
  checkSteps("polynomialDecay", "decaySteps", decaySteps);
  return polynomialDecayKind({ initial, decaySteps, ...options });
}

/** @internal */
export const linearKind = /* @__PURE__ */ defineSchedule<{
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}>("linear", ({ from, to, steps }, step) => from + (to - from) * (Math.min(step, steps) / steps));

/** From one number to another in this many steps, then constant. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function linear(from: number, to: number, steps: number): Schedule {
  checkNumbers("linear", { from, to });
  checkSteps("linear", "steps", steps);
  return linearKind({ from, to, steps });
}
