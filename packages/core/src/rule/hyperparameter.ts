import { GradstepError, show } from "../errors.js";

/** The default of a number that can be changed between steps, and the values it may have. */
export interface Hyperparameter {
  readonly default: number;
  /** Smallest allowed value; without it, any finite number is allowed. */
  readonly min?: number;
  /** Largest allowed value. */
  readonly max?: number;
  /** Allowed values are less than this. */
  readonly below?: number;
}

/** A finite number ≥ 0, such as a rate, a decay or an epsilon. */
export function nonNegative(value: number): Hyperparameter {
  return { default: value, min: 0 };
}

/** The weight of the past in a moving average: 0 ≤ β < 1. */
export function decayRate(value: number): Hyperparameter {
  return { default: value, min: 0, below: 1 };
}

/** A number from 0 to 1, both included. */
export function fraction(value: number): Hyperparameter {
  return { default: value, min: 0, max: 1 };
}

function describe({ min, max, below }: Hyperparameter): string {
  const bounds = [
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
    ...(below === undefined ? [] : [`< ${below}`]),
  ];
  return bounds.length > 0 ? `a finite number ${bounds.join(" and ")}` : "a finite number";
}

/**
 * Checks one value.
 *
 * @param owner for the message: the name of a rule or a group
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkHyperparameter(
  owner: string,
  name: string,
  value: unknown,
  range: Hyperparameter,
): number {
  const inside =
    typeof value === "number" &&
    Number.isFinite(value) &&
    value >= (range.min ?? -Infinity) &&
    value <= (range.max ?? Infinity) &&
    value < (range.below ?? Infinity);
  if (inside) return value;
  throw new GradstepError(
    `${owner}: ${name} is ${show(value)}; expected ${describe(range)} (the default is ${show(range.default)}).`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}
