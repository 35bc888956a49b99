import type { Expression } from "@gradstep/core";
import { isEqual, isNumber, isOperation, number, operation, valueOf } from "./expressions.js";

/** Where a factor stands in a product: those with smaller numbers first. */
export type Rank = (factor: Expression) => number;

/** A product of factors divided by a product of factors. */
export interface Factors {
  readonly isNegative: boolean;
  readonly above: readonly Expression[];
  readonly below: readonly Expression[];
}

/** The factors of an expression, through products, fractions, signs and whole powers. */
export function factorsOf(expression: Expression): Factors {
  if (isOperation(expression, "neg")) {
    const inner = factorsOf(expression.operands[0]);
    return { ...inner, isNegative: !inner.isNegative };
  }
  if (isOperation(expression, "mul", "div")) {
    const [a, b] = expression.operands.map(factorsOf);
    const isProduct = expression.op === "mul";
    return {
      isNegative: a.isNegative !== b.isNegative,
      above: [...a.above, ...(isProduct ? b.above : b.below)],
      below: [...a.below, ...(isProduct ? b.below : b.above)],
    };
  }
  if (isOperation(expression, "pow")) {
    const [base, exponent] = expression.operands;
    const count = valueOf(exponent);
    if (count !== undefined && Number.isInteger(count) && count > 1 && count < 5)
      return { isNegative: false, above: new Array(count).fill(base), below: [] };
  }
  return { isNegative: false, above: [expression], below: [] };
}

/** The product of factors: one fraction, with numbers multiplied, equal factors as powers. */
export function productOfFactors(factors: Factors, rank: Rank): Expression {
  const { isNegative } = factors;
  const [above, below] = withoutCommon(factors.above, factors.below);
  if (above.some((one) => isNumber(one, 0))) return number(0);
  const merged = mergedSelects(above, below, rank);
  if (merged !== undefined) return isNegative ? operation("neg", merged) : merged;
  const numerator = multiplied(above, rank);
  const denominator = multiplied(below, rank);
  const quotient = isNumber(denominator, 1) ? numerator : operation("div", numerator, denominator);
  return isNegative && !isNumber(quotient, 0) ? operation("neg", quotient) : quotient;
}

/** A product, fraction or negation in this form. */
export function productOf(expression: Expression, rank: Rank): Expression {
  return productOfFactors(factorsOf(expression), rank);
}

/** Without the factors that are both above and below; numbers stay, because 0 / 0 is no 1. */
function withoutCommon(
  above: readonly Expression[],
  below: readonly Expression[],
): readonly [Expression[], Expression[]] {
  const left = [...above];
  const right = below.filter((factor) => {
    const i = left.findIndex((one) => one.kind !== "number" && isEqual(one, factor));
    if (i < 0) return true;
    left.splice(i, 1);
    return false;
  });
  return [left, right];
}

/** (c ? a : b) / (c ? d : e) as c ? a / d : b / e. Undefined without such a pair. */
function mergedSelects(
  above: readonly Expression[],
  below: readonly Expression[],
  rank: Rank,
): Expression | undefined {
  for (const first of above) {
    if (!isOperation(first, "select")) continue;
    const [condition, a, b] = first.operands;
    for (const second of below) {
      if (!isOperation(second, "select") || !isEqual(second.operands[0], condition)) continue;
      const [, d, e] = second.operands;
      const others = {
        above: above.filter((one) => one !== first),
        below: below.filter((one) => one !== second),
      };
      const quotient = (numerator: Expression, denominator: Expression): Expression => {
        const [x, y] = [numerator, denominator].map(factorsOf);
        return productOfFactors(
          {
            isNegative: x.isNegative !== y.isNegative,
            above: [...others.above, ...x.above, ...y.below],
            below: [...others.below, ...x.below, ...y.above],
          },
          rank,
        );
      };
      return operation("select", condition, quotient(a, d), quotient(b, e));
    }
  }
  return undefined;
}

function multiplied(factors: readonly Expression[], rank: Rank): Expression {
  const plain = factors.filter((one) => one.kind !== "number");
  const factor = factors.reduce((all, one) => all * (one.kind === "number" ? one.value : 1), 1);
  const distinct: { readonly base: Expression; count: number }[] = [];
  for (const base of plain) {
    const same = distinct.find((one) => isEqual(one.base, base));
    if (same === undefined) distinct.push({ base, count: 1 });
    else same.count += 1;
  }
  const powers = distinct.map(({ base, count }) => raised(base, count));
  const all = factor === 1 ? powers : [number(factor), ...powers];
  const sorted = all
    .map((one, i) => ({ one, i, rank: rank(one) }))
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map(({ one }) => one);
  return sorted.length === 0
    ? number(1)
    : sorted.reduce((product, one) => operation("mul", product, one));
}

function raised(base: Expression, count: number): Expression {
  if (count === 1) return base;
  // √x·√x.
  if (isOperation(base, "sqrt")) {
    const [inner] = base.operands;
    const whole = raised(inner, Math.floor(count / 2));
    return count % 2 === 0 ? whole : operation("mul", whole, base);
  }
  return operation("pow", base, number(count));
}
