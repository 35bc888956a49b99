import {
  ceilFloat16,
  floorFloat16,
  largestFloat16,
  roundFloat16,
  smallestNormalFloat16,
} from "../layouts/float16.js";
import { stored } from "./bounds.js";
import type { ErrorModel } from "./error-model.js";
import { anything, isAnything, operand, point, rounded, type Interval } from "./interval.js";
import { operations } from "./interval-operations.js";

/** Integers up to this magnitude are exact in f32. */
const exactIntegers = 2 ** 24;

/** The possible values of an f16 that holds a result. What is beyond the range becomes the largest f16. */
export function float16Bound(interval: Interval, model: ErrorModel): Interval {
  const result = stored(interval, model);
  if (Number.isNaN(result.low)) return point(Number.NaN);
  const [low, exact, high] = [result.low, result.exact, result.high].map(clamp);
  const nearest = roundFloat16(exact);
  if (isAnything(result)) return anything(nearest);
  if (model.roundsFloat16ToNearest)
    return { low: roundFloat16(low), exact: nearest, high: roundFloat16(high) };
  const [least, greatest] = [floorFloat16(low), ceilFloat16(high)];
  const isFlushed =
    model.flushes && least < smallestNormalFloat16 && greatest > -smallestNormalFloat16;
  return isFlushed
    ? { low: Math.min(least, 0), exact: nearest, high: Math.max(greatest, 0) }
    : { low: least, exact: nearest, high: greatest };
}

function clamp(value: number): number {
  return Math.max(-largestFloat16, Math.min(largestFloat16, value));
}

/** The possible values of an f16 that is read. */
export function readFloat16Bound(value: number, model: ErrorModel): Interval {
  const mayBeZero = model.flushes && Math.abs(value) < smallestNormalFloat16;
  return mayBeZero
    ? { low: Math.min(value, 0), exact: value, high: Math.max(value, 0) }
    : operand(point(value), model);
}

/** The possible values of an integer in fixed point: the integer and the product are both rounded. */
export function fixedPointBound(integer: number, scale: number, model: ErrorModel): Interval {
  const isExact = Math.abs(integer) <= exactIntegers;
  const converted = isExact ? point(integer) : rounded(point(integer), model, model.arithmetic, 0);
  return operations.mul(model, converted, point(Math.fround(scale)));
}
