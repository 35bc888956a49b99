import { smallestNormal, type ElementOp } from "@gradstep/core";
import {
  anything,
  hull,
  is,
  isAnything,
  isPoint,
  nonFinite,
  point,
  rounded,
  type Interval,
} from "./interval.js";
import { overflowThreshold, type ErrorModel } from "./error-model.js";

type Operation = (model: ErrorModel, ...operands: Interval[]) => Interval;

/** Each operation on intervals. The table is total: a new operation of the language is a type error here. */
export const operations: Record<ElementOp, Operation> = {
  neg: (_, a) => ({ low: -a.high, exact: -a.exact, high: -a.low }),
  abs: (_, a) => {
    const exact = Math.abs(a.exact);
    if (a.low >= 0) return { ...a, exact };
    if (a.high <= 0) return { low: -a.high, exact, high: -a.low };
    if (Number.isNaN(a.low)) return a;
    return isAnything(a) ? anything(exact) : { low: 0, exact, high: Math.max(-a.low, a.high) };
  },
  sign: (_, a) => {
    const exact = Math.sign(a.exact);
    if (isPoint(a)) return point(exact);
    return isAnything(a) ? anything(exact) : hull(exact, Math.sign(a.low), Math.sign(a.high));
  },
  flush: (_, a) => {
    const exact = Math.abs(a.exact) < smallestNormal ? 0 : a.exact;
    if (isPoint(a)) return point(exact);
    if (a.low >= smallestNormal || a.high <= -smallestNormal) return { ...a, exact };
    return { low: Math.min(a.low, 0), exact, high: Math.max(a.high, 0) };
  },
  isFinite: (_, a) => {
    const exact = Number.isFinite(a.exact) ? 1 : 0;
    if (isPoint(a) || (a.low > -overflowThreshold && a.high < overflowThreshold))
      return point(exact);
    return { low: 0, exact, high: 1 };
  },
  sqrt: (model, a) => {
    const exact = Math.sqrt(a.exact);
    if (is(a, 0) || Number.isNaN(a.low)) return { ...a, exact };
    if (a.high < 0) return nonFinite(point(Number.NaN), model);
    if (a.low < 0) return anything(exact);
    return rounded({ low: Math.sqrt(a.low), exact, high: Math.sqrt(a.high) }, model, model.root, 0);
  },
  add: (model, a, b) => {
    const exact = a.exact + b.exact;
    if (is(a, 0)) return { ...b, exact };
    if (is(b, 0)) return { ...a, exact };
    const sum = certain(a, b, exact) ?? hull(exact, a.low + b.low, a.high + b.high);
    return rounded(sum, model, model.arithmetic, 0);
  },
  sub: (model, a, b) => operations.add(model, a, operations.neg(model, b)),
  mul: (model, a, b) => {
    const exact = a.exact * b.exact;
    if (is(a, 1) || is(a, -1)) return scaled(b, a.low, exact);
    if (is(b, 1) || is(b, -1)) return scaled(a, b.low, exact);
    if ((is(a, 0) && isBounded(b)) || (is(b, 0) && isBounded(a))) return point(exact);
    const product =
      certain(a, b, exact) ??
      hull(exact, a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high);
    return rounded(product, model, model.arithmetic, model.underflow);
  },
  div: (model, a, b) => {
    const exact = a.exact / b.exact;
    if (model.divisionByOneIsExact && (is(b, 1) || is(b, -1))) return scaled(a, b.low, exact);
    const [least, greatest] = model.divisorRange;
    const size = operations.abs(model, b);
    if (size.low < least || size.high > greatest) return anything(exact);
    // The sign of a zero may differ between implementations.
    if (is(b, 0) && !Number.isNaN(exact)) return anything(exact);
    const quotient = certain(a, b, exact);
    if (quotient === undefined && b.low <= 0 && b.high >= 0) return anything(exact);
    if (is(a, 0) && isBounded(b)) return point(exact);
    return rounded(
      quotient ?? hull(exact, a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high),
      model,
      model.division,
      // The error in units in the last place is the same among subnormals.
      model.underflow * (model.division / model.arithmetic),
    );
  },
  min: (_, a, b) => extreme(Math.min, a, b),
  max: (_, a, b) => extreme(Math.max, a, b),
  lt: (_, a, b) => truth(a.exact < b.exact, a, b, a.high < b.low, a.low >= b.high),
  le: (_, a, b) => truth(a.exact <= b.exact, a, b, a.high <= b.low, a.low > b.high),
  eq: (_, a, b) => equality(a, b),
  ne: (_, a, b) => {
    const { low, exact, high } = equality(a, b);
    return { low: 1 - high, exact: 1 - exact, high: 1 - low };
  },
  select: (_, condition, a, b) => {
    const exact = condition.exact === 1 ? a.exact : b.exact;
    if (isPoint(condition)) return { ...(condition.low === 1 ? a : b), exact };
    return hull(exact, a.low, a.high, b.low, b.high);
  },
};

/** The result if both operands are certain and IEEE 754 leaves no choice: NaN, or the infinity of an operand. */
function certain(a: Interval, b: Interval, exact: number): Interval | undefined {
  if (Number.isNaN(a.low) || Number.isNaN(b.low)) return point(Number.NaN);
  if (!isPoint(a) || !isPoint(b)) return undefined;
  return Number.isNaN(exact) || !Number.isFinite(exact) ? point(exact) : undefined;
}

function isBounded({ low, high }: Interval): boolean {
  return Number.isFinite(low) && Number.isFinite(high);
}

/** By exactly 1 or −1. */
function scaled({ low, high }: Interval, factor: number, exact: number): Interval {
  return factor === 1 ? { low, exact, high } : { low: -high, exact, high: -low };
}

function extreme(choose: (a: number, b: number) => number, a: Interval, b: Interval): Interval {
  const exact = choose(a.exact, b.exact);
  if (Number.isNaN(a.low) || Number.isNaN(b.low)) return point(Number.NaN);
  if (isAnything(a) || isAnything(b)) return anything(exact);
  return { low: choose(a.low, b.low), exact, high: choose(a.high, b.high) };
}

/** A condition: 1, 0, or either if the intervals do not decide it. */
function truth(value: boolean, a: Interval, b: Interval, yes: boolean, no: boolean): Interval {
  const exact = value ? 1 : 0;
  if (Number.isNaN(a.low) || Number.isNaN(b.low)) return point(0);
  if (no) return { low: 0, exact, high: 0 };
  // Any value can be NaN, which compares with nothing, not even with an infinity.
  const isDecided = yes && !isAnything(a) && !isAnything(b);
  return { low: isDecided ? 1 : 0, exact, high: 1 };
}

function equality(a: Interval, b: Interval): Interval {
  const same = isPoint(a) && isPoint(b) && a.low === b.low;
  return truth(a.exact === b.exact, a, b, same, a.low > b.high || a.high < b.low);
}
