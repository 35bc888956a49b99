import type { ReduceOp } from "./summation.js";

/**
 * The operations of the rule language.
 *
 * In f32, every operation is rounded once (`add sub mul div sqrt`) or exact (the others), so that implementations that
 * round correctly have the same bits. There is no `exp`, `log` or `pow` for elements, because platforms differ in their
 * last bits; `pow` exists for the scalars that the host computes once per step, in f64.
 */

/**
 * One operand. `flush(x)` is x, or +0 if |x| < 2⁻¹²⁶: subnormal numbers slow down every later step. `isFinite(x)` is 1, or
 * 0 if x is NaN or infinite.
 */
export type UnaryOp = "neg" | "abs" | "sqrt" | "sign" | "flush" | "isFinite";
/** Two operands. `min` and `max` give NaN if either is NaN. */
export type BinaryOp = "add" | "sub" | "mul" | "div" | "min" | "max";
/** Two operands; the result is a condition, and a condition can only be the first operand of `select`. */
export type CompareOp = "lt" | "le" | "eq" | "ne";
/** Operations per element, which backends implement. */
export type ElementOp = UnaryOp | BinaryOp | CompareOp | "select";
/** Operations on scalars, which the host computes in f64. `f32(x)` rounds to f32, as other libraries do. */
export type HostOp = "pow" | "f32" | "floor";
/** Every operation of the language whose operands and result have one index. */
export type Op = ElementOp | HostOp;
/**
 * Operations on whole tensors, which separate the passes of a step. `sum` and `maximum` join the values of a row, a
 * column, a tensor or all tensors; `count` is their number; `newtonSchulz` is one iteration on a matrix.
 */
export type TensorOp = ReduceOp | "count" | "newtonSchulz";

/** The number of operands of each operation. */
export const arity: Record<Op, 1 | 2 | 3> = {
  neg: 1,
  abs: 1,
  sqrt: 1,
  sign: 1,
  flush: 1,
  isFinite: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  min: 2,
  max: 2,
  lt: 2,
  le: 2,
  eq: 2,
  ne: 2,
  pow: 2,
  f32: 1,
  floor: 1,
  select: 3,
};

/** Whether the result of an operation is a condition. */
export function isComparison(op: Op): op is CompareOp {
  return op === "lt" || op === "le" || op === "eq" || op === "ne";
}

/** Whether only the host implements an operation. */
export function isHostOp(op: Op): op is HostOp {
  return op === "pow" || op === "f32" || op === "floor";
}

/** The smallest normal f32: below it, `flush` gives zero. */
export const smallestNormal: number = 2 ** -126;

/** Whether an operation is one on whole tensors. */
export function isTensorOp(op: string): op is TensorOp {
  return op === "sum" || op === "maximum" || op === "count" || op === "newtonSchulz";
}

/** A position in a rule's text; both numbers start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** An operation on tensors, as it was written. */
export interface TensorExpression {
  readonly kind: "tensor";
  /** `normAll`, `newtonSchulz`, … */
  readonly name: string;
  readonly operands: readonly Expression[];
  readonly at: Position;
}

/** A parsed expression, before names are resolved. */
export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly at: Position }
  | { readonly kind: "name"; readonly name: string; readonly at: Position }
  | TensorExpression
  | {
      readonly kind: "operation";
      readonly op: Op;
      readonly operands: readonly Expression[];
      readonly at: Position;
    };

/** `name = expression`, one statement of a rule. */
export interface Assignment {
  readonly name: string;
  readonly value: Expression;
  readonly at: Position;
}
