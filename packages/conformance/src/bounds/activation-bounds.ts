import { smallestNorm, type CheckedActivation } from "@gradstep/core";
import { unitRoundoff, type ErrorModel } from "./error-model.js";
import { anything, hull, isAnything, operand, point, rounded, type Interval } from "./interval.js";
import { operations } from "./interval-operations.js";
import { reductionBound } from "./reduction-bound.js";

const { abs, add, div, max, mul, neg, sqrt, sub } = operations;

/** Below it, log(1 + x) is the first terms of its series. */
const seriesLimit = 2 ** -6;

/**
 * The possible results of an activation on the values of a row, before they are stored as f32 or f16.
 *
 * Implementations that round each operation compute, with e = exp(−|x|): `sigmoid` as (x ≥ 0 ? 1 : e) / (1 + e);
 * `softplus` as max(x, 0) + log(1 + e), where e < 2⁻⁶ with e · (1 − e · (1/2 − e · (1/3 − e/4))) in place of the logarithm,
 * which has no relative error there; `normalize` as x / max(√Σx², 1e-12), with the sum in any order.
 */
export function activationBounds(
  activation: CheckedActivation,
  row: readonly Interval[],
  model: ErrorModel,
): readonly Interval[] {
  const { kind, scale, offset } = activation;
  if (kind === "normalize") {
    const norm = normOf(row, model);
    return row.map((x) => quotientByNorm(x, norm, model));
  }
  return row.map((x) => {
    switch (kind) {
      case "exp":
        return exponential(x, model);
      case "sigmoid":
        return sigmoid(x, model);
      case "softplus":
        return softplus(x, model);
      case "affine":
        return affine(x, scale, offset, model);
      case "identity":
        return operand(x, model);
    }
  });
}

/**
 * The possible gradients by the values of a row, for given gradients by its activated values: exp g · exp(x), sigmoid
 * g · (s(x) · s(−x)), softplus g · s(x), affine g · scale, normalize (g − n · Σ n g) / ‖x‖ with n the normalized values.
 */
export function chainRuleBounds(
  activation: CheckedActivation,
  row: readonly Interval[],
  gradients: readonly Interval[],
  model: ErrorModel,
): readonly Interval[] {
  const { kind, scale } = activation;
  const product = (a: Interval, b: Interval): Interval =>
    mul(model, operand(a, model), operand(b, model));
  if (kind === "normalize") {
    const norm = normOf(row, model);
    const normalized = row.map((x) => quotientByNorm(x, norm, model));
    const terms = normalized.map((n, i) => product(gradients[i], n));
    const along = reductionBound("sum", terms, row.length, model);
    return gradients.map((g, i) =>
      div(model, sub(model, operand(g, model), product(normalized[i], along)), norm),
    );
  }
  return gradients.map((g, i) => {
    const x = row[i];
    switch (kind) {
      case "exp":
        return product(g, exponential(x, model));
      case "sigmoid":
        return product(g, product(sigmoid(x, model), sigmoid(neg(model, x), model)));
      case "softplus":
        return product(g, sigmoid(x, model));
      case "affine":
        return product(g, point(scale));
      case "identity":
        return g;
    }
  });
}

/** A function of f64 that grows or falls throughout, rounded once. */
function roundedOnce(x: Interval, f: (x: number) => number, model: ErrorModel): Interval {
  const exact = f(x.exact);
  if (Number.isNaN(x.low)) return point(Number.NaN);
  if (isAnything(x)) return anything(exact);
  const result = hull(exact, f(x.low), f(x.high));
  // What f64 itself rounds off.
  const relative = model.arithmetic + 2 ** -50;
  return rounded(result, model, relative, model.underflow);
}

function exponential(x: Interval, model: ErrorModel): Interval {
  const exact = Math.exp(x.exact);
  if (Number.isNaN(x.low)) return point(Number.NaN);
  if (isAnything(x)) return anything(exact);
  const { constant, slope } = model.exponential;
  const size = Math.max(Math.abs(x.low), Math.abs(x.high));
  const relative = constant + (slope === 0 ? 0 : slope * size) + 2 ** -50;
  const [low, high] = [Math.exp(x.low), Math.exp(x.high)];
  // The error in units in the last place is the same among subnormals.
  const absolute = model.underflow * (relative / model.arithmetic);
  return rounded({ low, exact, high }, model, relative, absolute);
}

/** log(x) for x from 1 to a little more than 2. */
function logarithm(x: Interval, model: ErrorModel): Interval {
  const { absolute, relative } = model.logarithm;
  const result = { low: Math.log(x.low), exact: Math.log(x.exact), high: Math.log(x.high) };
  const error = Math.max(absolute, relative * Math.abs(result.high));
  return rounded(result, model, 2 ** -50, error);
}

function sigmoid(x: Interval, model: ErrorModel): Interval {
  const exactly = (one: number): number =>
    one >= 0 ? 1 / (1 + Math.exp(-one)) : Math.exp(one) / (1 + Math.exp(one));
  if (model.roundsActivationsOnce) return roundedOnce(x, exactly, model);
  const exact = exactly(x.exact);
  const e = exponential(neg(model, abs(model, x)), model);
  const divisor = add(model, point(1), e);
  const ofPositive = div(model, point(1), divisor);
  const ofNegative = div(model, operand(e, model), divisor);
  return { ...unionOf(x, 0, ofNegative, ofPositive), exact };
}

function softplus(x: Interval, model: ErrorModel): Interval {
  const exactly = (one: number): number => Math.max(one, 0) + Math.log1p(Math.exp(-Math.abs(one)));
  if (model.roundsActivationsOnce) return roundedOnce(x, exactly, model);
  const e = exponential(neg(model, abs(model, x)), model);
  const sum = add(model, max(model, x, point(0)), logOfOnePlus(e, model));
  return { ...sum, exact: exactly(x.exact) };
}

function logOfOnePlus(e: Interval, model: ErrorModel): Interval {
  const one = point(1);
  const ofSum = logarithm(add(model, one, e), model);
  const third = { low: Math.fround(1 / 3), exact: 1 / 3, high: Math.fround(1 / 3) };
  const cubic = sub(model, third, mul(model, e, point(0.25)));
  const quadratic = sub(model, point(0.5), mul(model, e, cubic));
  const series = mul(model, e, sub(model, one, mul(model, e, quadratic)));
  // The first term that is left out: e⁵/5.
  const ofSeries = rounded(series, model, e.high ** 4 / 5, 0);
  return unionOf(e, seriesLimit, ofSeries, ofSum);
}

function affine(x: Interval, scale: number, offset: number, model: ErrorModel): Interval {
  if (model.roundsActivationsOnce) return roundedOnce(x, (one) => one * scale + offset, model);
  return add(model, mul(model, operand(x, model), point(scale)), point(offset));
}

/** max(‖x‖, 1e-12). */
function normOf(row: readonly Interval[], model: ErrorModel): Interval {
  const least = {
    low: Math.min(smallestNorm, Math.fround(smallestNorm)),
    exact: smallestNorm,
    high: Math.max(smallestNorm, Math.fround(smallestNorm)),
  };
  if (model.roundsActivationsOnce) {
    const length = (of: (x: Interval) => number): number =>
      Math.max(smallestNorm, Math.sqrt(row.reduce((sum, x) => sum + of(x) ** 2, 0)));
    const exact = length((x) => x.exact);
    if (Number.isNaN(exact)) return point(exact);
    if (row.some(isAnything)) return anything(exact);
    const nearest = length(({ low, high }) => (low > 0 ? low : high < 0 ? high : 0));
    const farthest = length(({ low, high }) => Math.max(Math.abs(low), Math.abs(high)));
    return rounded({ low: nearest, exact, high: farthest }, model, unitRoundoff + 2 ** -48, 0);
  }
  const squares = row.map((x) => {
    const one = abs(model, operand(x, model));
    return mul(model, one, one);
  });
  const sum = reductionBound("sum", squares, row.length, model);
  // No order of additions makes it negative.
  if (Number.isFinite(sum.low)) sum.low = Math.max(sum.low, 0);
  return max(model, sqrt(model, sum), least);
}

function quotientByNorm(x: Interval, norm: Interval, model: ErrorModel): Interval {
  if (!model.roundsActivationsOnce) return div(model, operand(x, model), norm);
  const exact = x.exact / norm.exact;
  // Neither is rounded before the quotient is.
  if (x.low !== x.high || Number.isNaN(exact)) return div(model, x, norm);
  return rounded(point(exact), model, unitRoundoff + 2 ** -48, model.underflow);
}

/** One of two results where x is below a limit, the other elsewhere. */
function unionOf(x: Interval, limit: number, below: Interval, above: Interval): Interval {
  if (x.low >= limit) return above;
  if (x.high < limit) return below;
  return hull(
    x.exact < limit ? below.exact : above.exact,
    below.low,
    below.high,
    above.low,
    above.high,
  );
}
