import { smallestNormal } from "@gradstep/core";
import { overflowThreshold, type ErrorModel } from "./error-model.js";

/**
 * The exact value of an expression, and the lowest and highest value that an implementation may have for it. If
 * `low = high`, every implementation has this value; if all three are NaN, every implementation has NaN. −∞ to ∞ allows
 * any value, including NaN.
 */
export interface Interval {
  low: number;
  exact: number;
  high: number;
}

/** Only this value. */
export function point(value: number): Interval {
  return { low: value, exact: value, high: value };
}

/** Any value. */
export function anything(exact: number): Interval {
  return { low: -Infinity, exact, high: Infinity };
}

/** An exact input. If the model assumes that nothing is NaN or infinite, such a value may act as any. */
export function certainInput(value: number, model: ErrorModel): Interval {
  return model.keepsNonFinite || Number.isFinite(value) ? point(value) : anything(value);
}

export function isPoint({ low, high }: Interval): boolean {
  return low === high || Number.isNaN(low);
}

/** Whether any value is allowed. */
export function isAnything({ low, high }: Interval): boolean {
  return low === -Infinity && high === Infinity;
}

/** Whether this number is the only value allowed. */
export function is({ low, high }: Interval, value: number): boolean {
  return low === value && high === value;
}

/** The smallest interval around some candidates; if one of them is NaN, any value. */
export function hull(exact: number, ...candidates: readonly number[]): Interval {
  let low = Infinity;
  let high = -Infinity;
  for (const candidate of candidates) {
    if (Number.isNaN(candidate)) return anything(exact);
    if (candidate < low) low = candidate;
    if (candidate > high) high = candidate;
  }
  return { low, exact, high };
}

/** The operand of an operation. If the model flushes subnormals, it may also be 0. */
export function operand(interval: Interval, model: ErrorModel): Interval {
  if (!model.flushes || is(interval, 0)) return interval;
  const { low, exact, high } = interval;
  if (low >= smallestNormal || high <= -smallestNormal || Number.isNaN(low)) return interval;
  return { low: Math.min(low, 0), exact, high: Math.max(high, 0) };
}

/**
 * Adds the rounding of an operation's result.
 *
 * @param relative error of the operation, of its result
 * @param absolute additional absolute error
 */
export function rounded(
  result: Interval,
  model: ErrorModel,
  relative: number,
  absolute: number,
): Interval {
  const { low, exact, high } = result;
  if (!Number.isFinite(low) && low === high) return nonFinite(result, model);
  if (Number.isNaN(low)) return nonFinite(result, model);
  const spread = {
    low: Number.isFinite(low) ? low - Math.abs(low) * relative - absolute : low,
    exact,
    high: Number.isFinite(high) ? high + Math.abs(high) * relative + absolute : high,
  };
  if (spread.high >= overflowThreshold) {
    if (!model.keepsNonFinite) return anything(exact);
    spread.high = Infinity;
    spread.low = Math.min(spread.low, overflowThreshold);
  }
  if (spread.low <= -overflowThreshold) {
    if (!model.keepsNonFinite) return anything(exact);
    spread.low = -Infinity;
    spread.high = Math.max(spread.high, -overflowThreshold);
  }
  return operand(spread, model);
}

/** A certain NaN or infinity: as IEEE 754 says, or any value if the model assumes that there is none. */
export function nonFinite(result: Interval, model: ErrorModel): Interval {
  return model.keepsNonFinite ? result : anything(result.exact);
}
