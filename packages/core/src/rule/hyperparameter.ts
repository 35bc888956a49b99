import { GradstepError, show } from "../errors.js";

/** A number that can be changed between steps, its default and the values it may take. */
export interface Hyperparameter {
  readonly default: number;
  /** Least allowed value; without it, any finite number. */
  readonly min?: number;
  /** Greatest allowed value. */
  readonly max?: number;
  /** All allowed values are smaller than this. */
  readonly below?: number;
}

/** A rate, a decay, an epsilon: finite and not negative. */
export function nonNegative(value: number): Hyperparameter {
  return { default: value, min: 0 };
}

/** The weight of the past in a decaying average: 0 ≤ β < 1. */
export function decayRate(value: number): Hyperparameter {
  return { default: value, min: 0, below: 1 };
}

/** A share of something: 0 ≤ x ≤ 1. */
export function fraction(value: number): Hyperparameter {
  return { default: value, min: 0, max: 1 };
}

function describe({ min, max, below }: Hyperparameter): string {
  const bounds = [
    ...(min === undefined ? [] : [`≥ ${min}`]),
    ...(max === undefined ? [] : [`≤ ${max}`]),
    ...(below === undefined ? [] : [`< ${below}`]),
  ];
  return ["a finite number", ...bounds].join(" ");
}

/**
 * Checks one value.
 *
 * @param owner whose hyperparameter it is, for the message: a rule's name, or a group of it.
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
