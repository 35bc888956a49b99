import { GradstepError, show } from "../errors.js";
import { isArray } from "../argument-checks/is-array.js";
import { propertyOf } from "../argument-checks/property-of.js";
import {
  checkNumbers,
  checkSteps,
  checkValue,
  defineSchedule,
  valueOf,
  type Schedule,
} from "./schedule.js";

/** @internal */
export const constantKind = /* @__PURE__ */ defineSchedule<{ readonly value: number }>(
  "constant",
  ({ value }) => value,
);

/** Always the same number: a part of other schedules. @throws {GradstepError} `INVALID_HYPERPARAMETER` */
export function constant(value: number): Schedule {
  checkNumbers("constant", { value });
  return constantKind({ value });
}

/** @internal */
export const piecewiseConstantKind = /* @__PURE__ */ defineSchedule<{
  readonly boundaries: readonly number[];
  readonly values: readonly number[];
}>("piecewise-constant", ({ boundaries, values }, step) => {
  const passed = boundaries.filter((boundary) => step > boundary).length;
  return values[passed];
});

/**
 * `values[0]` up to and including step `boundaries[0]`, then `values[1]`, and so on: Keras's `PiecewiseConstantDecay`.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER` unless there is one value more than boundaries, which increase
 */
export function piecewiseConstant(
  boundaries: readonly number[],
  values: readonly number[],
): Schedule {
  const isValid =
    isArray(boundaries) &&
    isArray(values) &&
    values.length === boundaries.length + 1 &&
    [...boundaries, ...values].every((value) => Number.isFinite(value)) &&
    boundaries.every((boundary, i) => i === 0 || boundary > boundaries[i - 1]);
  if (!isValid) {
    throw new GradstepError(
      `piecewiseConstant: got boundaries ${show(boundaries)} and values ${show(values)}; expected increasing boundaries, and one value more than boundaries.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return piecewiseConstantKind({ boundaries: [...boundaries], values: [...values] });
}

/** @internal */
export const warmupKind = /* @__PURE__ */ defineSchedule<{
  readonly steps: number;
  readonly target: number | Schedule;
  readonly from?: number | undefined;
}>("warmup", ({ steps, target, from = 0 }, step) => {
  if (step >= steps) return valueOf(target, step - steps);
  return from + (valueOf(target, 0) - from) * (step / steps);
});

/**
 * Grows linearly from `from` to the first value of a schedule, or to a number, then follows it: its first step is the
 * one after the warm-up.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function warmup(steps: number, target: number | Schedule, from = 0): Schedule {
  checkSteps("warmup", "steps", steps);
  checkValue("warmup", "target", target);
  checkNumbers("warmup", { from });
  return warmupKind({ steps, target, from: from === 0 ? undefined : from });
}

/** @internal */
export const joinedKind = /* @__PURE__ */ defineSchedule<{
  readonly parts: readonly { readonly schedule: number | Schedule; readonly steps: number }[];
  readonly last: number | Schedule;
}>("join", ({ parts, last }, step) => {
  let start = 0;
  for (const { schedule, steps } of parts) {
    if (step < start + steps) return valueOf(schedule, step - start);
    start += steps;
  }
  return valueOf(last, step - start);
});

/**
 * Schedules one after the other: `joinSchedules([linear(0, 1, 100), 100], [constant(1), 500], cosineDecay(1, 1000))`. Each
 * begins at its own step 0 and lasts for the number of steps given with it; the last one never ends.
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function joinSchedules(
  ...parts: readonly [...(readonly [number | Schedule, number])[], number | Schedule]
): Schedule {
  const last = parts.at(-1) as number | Schedule;
  const before = parts.slice(0, -1) as readonly (readonly [number | Schedule, number])[];
  checkValue("joinSchedules", "the last part", last);
  const timed = before.map((part, i) => {
    checkValue("joinSchedules", `part ${i}`, part?.[0]);
    checkSteps("joinSchedules", `the length of part ${i}`, part[1]);
    return { schedule: part[0], steps: part[1] };
  });
  return joinedKind({ parts: timed, last });
}

/** A function of the step as a schedule. It can be neither stored nor compared; its name stands for it. */
export function scheduleOfFunction(valueAt: (step: number) => number): Schedule {
  return Object.defineProperty(
    { schedule: "function", options: { name: propertyOf(valueAt, "name") } },
    "valueAt",
    { value: valueAt },
  ) as unknown as Schedule;
}
