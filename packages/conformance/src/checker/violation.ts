import { GradstepError, hasNames, show } from "@gradstep/core";
import type { Interval } from "../bounds/interval.js";

/** Where a value is. */
export interface ValueLocation {
  /** The rule, with the options that differ from its defaults. */
  readonly rule: string;
  /** The optimizer's step, counted from 1. */
  readonly step: number;
  readonly parameter: string;
  /** `p`, or the name of a slot. */
  readonly output: string;
  /** Index in the tensor. */
  readonly element: number;
}

/** A value outside its bound. */
export interface Violation extends ValueLocation {
  readonly got: number;
  readonly interval: Interval;
  /** More than 1; Infinity for a wrong NaN or infinity. */
  readonly errorOverBound: number;
}

/** A value whose bits differ from the f32 reference's. */
export interface BitDifference extends ValueLocation {
  readonly got: number;
  readonly expected: number;
}

/**
 * The violation in one line: where, what was got, what was expected, and the bound.
 * @throws {GradstepError} `INVALID_PARAMETER` for what is none, such as undefined
 */
export function describeViolation(violation: Violation): string {
  if (!hasNames(violation) || !hasNames(violation.interval))
    throw new GradstepError(
      `describeViolation: got ${show(violation)}; expected a violation, which checker.violation is unless it is undefined.`,
      { code: "INVALID_PARAMETER" },
    );
  const { got, interval, errorOverBound: ratio } = violation;
  return (
    `${describeLocation(violation)} is ${text(got)}; expected ${text(interval.exact)}, ` +
    `between ${text(interval.low)} and ${text(interval.high)} (error/bound ${ratio.toPrecision(4)})`
  );
}

/** The first difference of a step in one line, and how many values differ. */
export function describeDifference(difference: BitDifference, count: number): string {
  const { got, expected } = difference;
  return (
    `${describeLocation(difference)} is ${text(got)}; expected exactly ${text(expected)}, as the f32 reference has it, ` +
    `because the backend declares exact: true (bound 0; ${count} ${count === 1 ? "value differs" : "values differ"})`
  );
}

function describeLocation({ rule, step, parameter, output, element }: ValueLocation): string {
  return `${rule}, step ${step}: ${output} of "${parameter}"[${element}]`;
}

/** A number as text; −0 differs from 0. */
export function text(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
