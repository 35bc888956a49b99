import type { Expression, Op } from "@gradstep/core";

/** Values of names. */
export type Environment = ReadonlyMap<string, number>;

const operations: Readonly<Record<Op, (...operands: number[]) => number>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sqrt: Math.sqrt,
  sign: Math.sign,
  flush: (a) => a,
  isFinite: (a) => (Number.isFinite(a) ? 1 : 0),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
  lt: (a, b) => Number(a < b),
  le: (a, b) => Number(a <= b),
  eq: (a, b) => Number(a === b),
  ne: (a, b) => Number(a !== b),
  pow: (a, b) => a ** b,
  f32: Math.fround,
  floor: Math.floor,
  select: (condition, a, b) => (condition === 1 ? a : b),
};

/** The value of an expression for tensors with one element, in f64. */
export function valueOfExpression(expression: Expression, values: Environment): number {
  if (expression.kind === "number") return expression.value;
  if (expression.kind === "name") {
    const value = values.get(expression.name);
    if (value === undefined) throw new Error(`${expression.name} has no value`);
    return value;
  }
  const operands = expression.operands.map((one) => valueOfExpression(one, values));
  if (expression.kind === "operation") return operations[expression.op](...operands);
  const [x, a, b, c] = operands;
  if (expression.name === "newtonSchulz") return a * x + b * (x * x) * x + c * (x * x) ** 2 * x;
  return expression.name.startsWith("norm") ? Math.abs(x) : x;
}
