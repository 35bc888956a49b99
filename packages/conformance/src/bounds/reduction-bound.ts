import { summationBlock, summationLanes, smallestNormal, type ReduceOp } from "@gradstep/core";
import { overflowThreshold, type ErrorModel } from "./error-model.js";
import {
  anything,
  isAnything,
  isPoint,
  nonFinite,
  operand,
  point,
  type Interval,
} from "./interval.js";

/**
 * The number of additions on the longest way from a value to the sum, by the tree that the language defines: those of a
 * lane, then of lanes and of blocks. The first value of a lane is added to 0, which is exact.
 *
 * @param positions number of positions over which the sum goes
 */
export function depthOf(positions: number): number {
  const perLane = Math.ceil(Math.min(positions, summationBlock) / summationLanes);
  return (
    perLane - 1 + Math.log2(summationLanes) + depthOfPairs(Math.ceil(positions / summationBlock))
  );
}

/** The same for values that are joined pairwise: blocks, or tensors. */
export function depthOfPairs(count: number): number {
  return count > 1 ? Math.ceil(Math.log2(count)) : 0;
}

/**
 * The possible results of a reduction of these values.
 *
 * A sum in a tree of this depth, or of a smaller one, in any order, has an error of at most γ·Σ|x| with γ = dε / (1 − dε)
 * (Higham 2002, Section 4.2), and f64 accumulation has less. If the model flushes, each addition may lose a subnormal
 * number in addition. A maximum is exact.
 */
export function reductionBound(
  op: ReduceOp,
  values: readonly Interval[],
  depth: number,
  model: ErrorModel,
): Interval {
  return op === "sum" ? sumBound(values, depth, model) : maximumBound(values, model);
}

function sumBound(values: readonly Interval[], depth: number, model: ErrorModel): Interval {
  let [low, exact, high, magnitude] = [0, 0, 0, 0];
  let isFree = false;
  let infinities = 0;
  for (const value of values) {
    const one = operand(value, model);
    exact += one.exact;
    if (Number.isNaN(one.low)) return point(Number.NaN);
    if (!Number.isFinite(one.low) || !Number.isFinite(one.high)) {
      if (isPoint(one)) infinities += one.low;
      else isFree = true;
      continue;
    }
    low += one.low;
    high += one.high;
    magnitude += Math.max(Math.abs(one.low), Math.abs(one.high));
  }
  // Near the end of the range, the order decides between infinity, NaN and a number.
  if (isFree || magnitude * 2 >= overflowThreshold) return anything(exact);
  // Also the sum of both infinities, which is NaN.
  if (infinities !== 0) return nonFinite(point(infinities), model);
  const relative = (depth * model.arithmetic) / (1 - depth * model.arithmetic);
  const flushed = model.flushes ? values.length * smallestNormal : 0;
  // The sums here are in f64.
  const error = relative * magnitude + magnitude * values.length * 2 ** -52 + 2 * flushed;
  if (error === 0) return { low, exact, high };
  return operand({ low: low - error, exact, high: high + error }, model);
}

function maximumBound(values: readonly Interval[], model: ErrorModel): Interval {
  let [low, exact, high] = [-Infinity, -Infinity, -Infinity];
  let isFree = false;
  for (const one of values) {
    const value = operand(one, model);
    exact = Math.max(exact, value.exact);
    if (Number.isNaN(value.low)) return point(Number.NaN);
    isFree ||= isAnything(value);
    low = Math.max(low, value.low);
    high = Math.max(high, value.high);
  }
  if (high === -Infinity) return nonFinite(point(high), model);
  return isFree ? anything(exact) : { low, exact, high };
}
