import type { Expression, Op } from "@gradstep/core";
import {
  isEqual,
  isNumber,
  isOperation,
  number,
  operation,
  valueOf,
  withOperands,
} from "./expressions.js";
import { productOf, type Rank } from "./product.js";

/**
 * An expression that is equal for all real numbers, as one would write it: without terms that are 0 and factors that are
 * 1, with one fraction in place of several, with squares, and with scalars before arrays in products.
 */
export function simplify(expression: Expression, rank: Rank): Expression {
  const inner = withOperands(expression, (one) => simplify(one, rank));
  return inner.kind === "operation" ? (simplifiers[inner.op]?.(inner, rank) ?? inner) : inner;
}

type Operation = Extract<Expression, { kind: "operation" }>;

/** What becomes of operations whose operands are simple. */
const simplifiers: Readonly<Partial<Record<Op, (one: Operation, rank: Rank) => Expression>>> = {
  add: ({ operands: [a, b] }) => sum(a, b),
  sub: ({ operands: [a, b] }) => difference(a, b),
  mul: productOf,
  div: productOf,
  neg: productOf,
  pow: ({ operands: [base, exponent] }) => power(base, exponent),
  select: ({ operands }) => selected(operands),
  max: (one) =>
    isNumber(one.operands[1], 0) && isNonNegative(one.operands[0]) ? one.operands[0] : one,
  // What it sets to 0 is below all numbers that count.
  flush: ({ operands: [a] }) => a,
};

/** Whether it is known to be at least 0. Names are no magnitudes, but those of ε are. */
function isNonNegative(expression: Expression): boolean {
  if (expression.kind === "number") return expression.value >= 0;
  if (expression.kind === "name") return expression.name.startsWith("epsilon");
  if (expression.kind === "tensor") return expression.name.startsWith("norm");
  if (isOperation(expression, "add", "mul", "div", "max"))
    return expression.operands.every(isNonNegative);
  return isOperation(expression, "sqrt", "abs");
}

function sum(a: Expression, b: Expression): Expression {
  if (isNumber(a, 0)) return b;
  if (isNumber(b, 0)) return a;
  if (isOperation(b, "neg")) return difference(a, b.operands[0]);
  // a + (b ± c) is (a + b) ± c.
  if (isOperation(b, "add", "sub")) return operation(b.op, sum(a, b.operands[0]), b.operands[1]);
  return folded("add", a, b, (x, y) => x + y);
}

function difference(a: Expression, b: Expression): Expression {
  if (isNumber(b, 0)) return a;
  if (isNumber(a, 0)) return isOperation(b, "neg") ? b.operands[0] : operation("neg", b);
  if (isOperation(b, "neg")) return sum(a, b.operands[0]);
  return folded("sub", a, b, (x, y) => x - y);
}

function folded(
  op: Op,
  a: Expression,
  b: Expression,
  compute: (a: number, b: number) => number,
): Expression {
  const [x, y] = [valueOf(a), valueOf(b)];
  return x === undefined || y === undefined ? operation(op, a, b) : number(compute(x, y));
}

function power(base: Expression, exponent: Expression): Expression {
  if (isNumber(exponent, 1)) return base;
  if (isNumber(exponent, 2) && isOperation(base, "sqrt")) return base.operands[0];
  return operation("pow", base, exponent);
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
};

/** The condition under which a choice between numbers is another number, as in `(c ? 1 : 0) == 1`. */
function chosen(comparison: Expression): Expression {
  if (!isOperation(comparison, "eq")) return comparison;
  const [choice, expected] = comparison.operands;
  if (!isOperation(choice, "select")) return comparison;
  const [condition, ...branches] = choice.operands;
  const values = [...branches, expected].map(valueOf);
  if (values.includes(undefined)) return comparison;
  const [a, b, value] = values;
  if (a === value && b !== value) return condition;
  return a !== value && b === value ? negated(condition) : comparison;
}

function negated(condition: Expression): Expression {
  if (isOperation(condition, "lt", "le")) {
    const [a, b] = condition.operands;
    return operation(condition.op === "lt" ? "le" : "lt", b, a);
  }
  return { ...condition, op: isOperation(condition, "eq") ? "ne" : "eq" } as Expression;
}

function selected(operands: readonly Expression[]): Expression {
  const [, whenTrue, otherwise] = operands;
  const condition = chosen(operands[0]);
  if (isEqual(whenTrue, otherwise)) return otherwise;
  if (condition.kind === "operation") {
    const [a, b] = condition.operands.map(valueOf);
    if (a !== undefined && b !== undefined)
      return comparisons[condition.op](a, b) ? whenTrue : otherwise;
  }
  return operation("select", condition, whenTrue, otherwise);
}
