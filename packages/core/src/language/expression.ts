/**
 * The rule language: what an expression can be made of.
 *
 * Every operation is one rounding in f32 (`add sub mul div sqrt`) or exact (the rest), so that an implementation that
 * rounds correctly has no freedom left: its bits are the reference's bits. There is no `exp`, `log` or `pow` for
 * elements, because no two platforms agree on their last bit; `pow` exists for the scalars that the host computes once
 * a step, in f64.
 */

/** One operand. `flush(x)` is x, or +0 where |x| < 2⁻¹²⁶: subnormals slow every later step down and carry nothing. */
export type UnaryOp = "neg" | "abs" | "sqrt" | "sign" | "flush";
/** Two operands. `min` and `max` give NaN if either is NaN. */
export type BinaryOp = "add" | "sub" | "mul" | "div" | "min" | "max";
/** Two operands; the result is a condition, and a condition can only be the first operand of `select`. */
export type CompareOp = "lt" | "le" | "eq" | "ne";
/** Operations that a backend implements for every element. */
export type ElementOp = UnaryOp | BinaryOp | CompareOp | "select";
/** Operations on scalars that the host computes in f64. `f32(x)` rounds to f32, for what other libraries keep in f32. */
export type HostOp = "pow" | "f32" | "floor";
/** Every operation of the language. */
export type Op = ElementOp | HostOp;

/** How many operands each operation takes. */
export const arity: Record<Op, 1 | 2 | 3> = {
  neg: 1,
  abs: 1,
  sqrt: 1,
  sign: 1,
  flush: 1,
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

/** Operations whose result is a condition. */
export function isComparison(op: Op): op is CompareOp {
  return op === "lt" || op === "le" || op === "eq" || op === "ne";
}

/** Operations that only the host has. */
export function isHostOp(op: Op): op is HostOp {
  return op === "pow" || op === "f32" || op === "floor";
}

/** The smallest normal f32: below it, `flush` gives zero. */
export const smallestNormal: number = 2 ** -126;

/** A place in a rule's text, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed expression, before names are resolved. */
export type Expression =
  | { readonly kind: "number"; readonly value: number; readonly at: Position }
  | { readonly kind: "name"; readonly name: string; readonly at: Position }
  | {
      readonly kind: "operation";
      readonly op: Op;
      readonly operands: readonly Expression[];
      readonly at: Position;
    };

/** `name = expression`, one step of a rule. */
export interface Assignment {
  readonly name: string;
  readonly value: Expression;
  readonly at: Position;
}
