import { GradstepError, show } from "../errors.js";
import { propertyOf } from "../argument-checks/property-of.js";

/** What the options of a schedule can hold. */
export type ScheduleOption =
  | number
  | boolean
  | string
  | readonly ScheduleOption[]
  | ScheduleData
  | undefined;

/** A schedule as plain data, as it is stored in configurations and states. */
export interface ScheduleData {
  /** Its kind, such as `cosine-decay`. */
  readonly schedule: string;
  readonly options: Readonly<Record<string, ScheduleOption>>;
}

/** The values of a hyperparameter over the steps of an optimizer. */
export interface Schedule extends ScheduleData {
  /**
   * The value for the next step, after `step` steps: the first step has that of 0. In f64.
   * @throws {GradstepError} `INVALID_HYPERPARAMETER` for a step that is not a number
   */
  valueAt(step: number): number;
}

/** A kind of schedule: makes one of its options. */
export interface ScheduleKind<O extends object> {
  readonly kind: string;
  (options: O): Schedule;
}

/**
 * Defines a kind of schedule.
 *
 * @param kind lower case, unique in an application
 * @param valueAt the value after `step` steps
 */
export function defineSchedule<O extends object>(
  kind: string,
  valueAt: (options: O, step: number) => number,
): ScheduleKind<O> {
  const make = (options: O): Schedule => {
    const data = { schedule: kind, options: withoutUndefined(options) };
    // Not enumerable, so that a copy is plain data.
    return Object.defineProperty(data, "valueAt", {
      value: (step: number) => {
        if (typeof step !== "number") checkNumbers(kind, { step });
        return valueAt(options, step);
      },
    }) as Schedule;
  };
  return Object.assign(make, { kind });
}

function withoutUndefined(options: object): ScheduleData["options"] {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** Whether a value is a schedule, not only its data. */
export function isSchedule(value: unknown): value is Schedule {
  return typeof propertyOf(value, "valueAt") === "function";
}

/** Whether a value is the data of a schedule. */
export function isScheduleData(value: unknown): value is ScheduleData {
  const options = propertyOf(value, "options");
  return (
    typeof propertyOf(value, "schedule") === "string" &&
    typeof options === "object" &&
    options !== null
  );
}

/** A number, or the value of a schedule after `step` steps. */
export function valueOf(schedule: number | Schedule, step: number): number {
  return typeof schedule === "number" ? schedule : schedule.valueAt(step);
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a positive integer */
export function checkSteps(kind: string, name: string, steps: unknown): void {
  if (Number.isSafeInteger(steps) && (steps as number) > 0) return;
  throw new GradstepError(
    `${kind}: ${name} is ${show(steps)}; expected a positive integer, a number of steps.`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}

/**
 * @param optional numbers that may be undefined
 * @throws {GradstepError} `INVALID_HYPERPARAMETER` unless all others are finite numbers
 */
export function checkNumbers(kind: string, required: object, optional: object = {}): void {
  for (const [name, value] of Object.entries({ ...optional, ...required })) {
    if (Number.isFinite(value) || (value === undefined && !Object.hasOwn(required, name))) continue;
    throw new GradstepError(`${kind}: ${name} is ${show(value)}; expected a finite number.`, {
      code: "INVALID_HYPERPARAMETER",
    });
  }
}

/** Which finite numbers are taken, and how a message describes them. */
interface NumberRange {
  readonly expected: string;
  readonly isInside: (value: number) => boolean;
}

export const fraction: NumberRange = {
  expected: "a number from 0 to 1",
  isInside: (value) => value >= 0 && value <= 1,
};
export const positive: NumberRange = {
  expected: "a number above 0",
  isInside: (value) => value > 0,
};
export const atLeastOne: NumberRange = {
  expected: "a number of at least 1",
  isInside: (value) => value >= 1,
};

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless a number that is given is in the range */
export function checkRange(
  kind: string,
  name: string,
  value: number | undefined,
  { expected, isInside }: NumberRange,
): void {
  if (value === undefined || isInside(value)) return;
  throw new GradstepError(`${kind}: ${name} is ${show(value)}; expected ${expected}.`, {
    code: "INVALID_HYPERPARAMETER",
  });
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a finite number or a schedule */
export function checkValue(kind: string, name: string, value: unknown): void {
  if (Number.isFinite(value) || isSchedule(value)) return;
  throw new GradstepError(
    `${kind}: ${name} is ${show(value)}; expected a finite number or a schedule.`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}
