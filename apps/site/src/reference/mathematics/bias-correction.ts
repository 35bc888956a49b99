import type { Expression } from "@gradstep/core";
import {
  countOf,
  isEqual,
  isNumber,
  isOperation,
  nameOf,
  operation,
  withOperands,
} from "./expressions.js";
import { inline } from "./inline.js";
import { factorsOf, productOf, productOfFactors, type Rank } from "./product.js";
import { simplify } from "./simplify.js";
import type { Mathematics, Statement } from "./statements.js";

/**
 * With corrected averages as papers write them. Rules correct scalars, because that costs nothing per element:
 * m·η√(1−β₂ᵗ)/(1−β₁ᵗ) / (√v + ε√(1−β₂ᵗ)). For real numbers that is η·m̂ / (√v̂ + ε) with m̂ = m/(1−β₁ᵗ) and
 * v̂ = v/(1−β₂ᵗ).
 */
export function withCorrectedAverages(mathematics: Mathematics, rank: Rank): Mathematics {
  const corrections = correctionsIn(mathematics.statements);
  const inlined = inline(mathematics, (one) => one.per === "step" && corrections.has(one.name));
  const result: Statement[] = [];
  for (const statement of inlined.statements) {
    if (statement.per === "step") {
      result.push(statement);
      continue;
    }
    const hats = new Map<string, Statement>();
    const isCorrected = (name: string): boolean =>
      mathematics.state.has(name) && statement.name !== name;
    const value = withHats(
      withoutRoots(simplify(statement.value, rank), rank),
      (name, correction) => {
        if (!isCorrected(name)) return undefined;
        const hat = `${name}Hat`;
        const quotient = operation("div", nameOf(name), correction);
        const other = hats.get(hat);
        if (other !== undefined && !isEqual(other.value, quotient)) return undefined;
        hats.set(hat, { name: hat, value: quotient, per: "element" });
        return nameOf(hat);
      },
      rank,
    );
    // In the order of the averages.
    const ordered = [...mathematics.state].flatMap((name) => hats.get(`${name}Hat`) ?? []);
    result.push(...ordered, { ...statement, value });
  }
  return { ...mathematics, statements: result };
}

/** 1 − βᵗ. */
function isCorrection(expression: Expression): boolean {
  if (!isOperation(expression, "sub")) return false;
  const [one, power] = expression.operands;
  return (
    isNumber(one, 1) &&
    isOperation(power, "pow") &&
    power.operands[0].kind === "name" &&
    countOf(power.operands[1], "t") === 1
  );
}

/** The names of scalars that are corrections, roots of them, or products with them. */
function correctionsIn(statements: readonly Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  const corrects = (value: Expression): boolean =>
    isCorrection(value) ||
    (value.kind === "name" && names.has(value.name)) ||
    (isOperation(value, "sqrt", "mul", "div", "neg") && value.operands.some(corrects));
  for (const { name, value, per } of statements)
    if (per === "step" && corrects(value)) names.add(name);
  return names;
}

/** Fractions with √v + ε·√c below, divided by √c above and below. */
function withoutRoots(expression: Expression, rank: Rank): Expression {
  const whole = withOperands(expression, (one) => withoutRoots(one, rank));
  if (!isOperation(whole, "div")) return whole;
  const { isNegative, below, ...factors } = factorsOf(whole);
  const above = factors.above.flatMap((one) => withCommonFactor(one, rank));
  const inner = productOfFactors({ isNegative, above, below }, rank);
  for (const factor of below) {
    const divided = dividedRoot(factor, rank);
    if (divided === undefined) continue;
    const { root } = divided;
    const numerator = dividedBy(above, root, rank);
    if (numerator === undefined) continue;
    const others = below.filter((one) => one !== factor);
    return productOfFactors(
      { isNegative, above: numerator, below: [...others, divided.sum] },
      rank,
    );
  }
  return inner;
}

/** √v + ε·√c as √(v/c) + ε, and √c. Undefined for anything else. */
function dividedRoot(
  expression: Expression,
  rank: Rank,
): { readonly root: Expression; readonly sum: Expression } | undefined {
  if (!isOperation(expression, "add")) return undefined;
  const [first, second] = expression.operands;
  if (!isOperation(first, "sqrt")) return undefined;
  const root = factorsOf(second).above.find(
    (one) => isOperation(one, "sqrt") && isCorrection(one.operands[0]),
  );
  if (root === undefined || !isOperation(root, "sqrt")) return undefined;
  const rest = productOf(operation("div", second, root), rank);
  const [correction] = root.operands;
  const inside = first.operands[0];
  const divided = isOperation(inside, "add")
    ? operation(
        "add",
        ...inside.operands.map((one) => productOf(operation("div", one, correction), rank)),
      )
    : productOf(operation("div", inside, correction), rank);
  return { root, sum: operation("add", operation("sqrt", divided), rest) };
}

/** Factors divided by one that is among them, or in each term of a sum among them. */
function dividedBy(
  factors: readonly Expression[],
  divisor: Expression,
  rank: Rank,
): readonly Expression[] | undefined {
  const own = factors.find((one) => isEqual(one, divisor));
  if (own !== undefined) return factors.filter((one) => one !== own);
  for (const factor of factors) {
    if (!isOperation(factor, "add")) continue;
    const terms = factor.operands.map((term) => {
      const { isNegative, above, below } = factorsOf(term);
      const left = dividedBy(above, divisor, rank);
      return left && productOfFactors({ isNegative, above: left, below }, rank);
    });
    if (terms.some((one) => one === undefined)) continue;
    const common = withCommonFactor(operation("add", ...(terms as Expression[])), rank);
    return factors.flatMap((one) => (one === factor ? common : [one]));
  }
  return undefined;
}

/** a·x + a·y as the factors a and x + y. */
function withCommonFactor(sum: Expression, rank: Rank): readonly Expression[] {
  if (!isOperation(sum, "add")) return [sum];
  const [first, second] = sum.operands.map(factorsOf);
  const common = first.above.filter((one) => second.above.some((other) => isEqual(one, other)));
  if (common.length === 0) return [sum];
  const terms = [first, second].map(({ isNegative, above, below }) => {
    const rest = [...above];
    for (const one of common)
      rest.splice(
        rest.findIndex((other) => isEqual(one, other)),
        1,
      );
    return productOfFactors({ isNegative, above: rest, below }, rank);
  });
  return [...common, operation("add", ...terms)];
}

/** With a name for each state divided by a correction. @param hatOf the name, or undefined to leave it */
function withHats(
  expression: Expression,
  hatOf: (name: string, correction: Expression) => Expression | undefined,
  rank: Rank,
): Expression {
  const inner = withOperands(expression, (one) => withHats(one, hatOf, rank));
  if (!isOperation(inner, "div")) return inner;
  const { isNegative, above, below } = factorsOf(inner);
  const factors = [...above];
  const divisors = below.filter((divisor) => {
    // The correction of the step itself; that of another step is none of an average.
    if (!isCorrection(divisor) || !isStep(divisor)) return true;
    for (const [i, factor] of factors.entries()) {
      const hat = factor.kind === "name" ? hatOf(factor.name, divisor) : undefined;
      if (hat === undefined) continue;
      factors[i] = hat;
      return false;
    }
    return true;
  });
  if (divisors.length === below.length) return inner;
  return productOfFactors({ isNegative, above: factors, below: divisors }, rank);
}

/** 1 − βᵗ, where the exponent is t itself. */
function isStep(correction: Expression): boolean {
  if (!isOperation(correction, "sub") || !isOperation(correction.operands[1], "pow")) return false;
  const [, exponent] = correction.operands[1].operands;
  return exponent.kind === "name" && exponent.name === "t";
}
