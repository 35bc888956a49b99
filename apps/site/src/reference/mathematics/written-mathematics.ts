import type { Expression } from "@gradstep/core";
import { withCorrectedAverages } from "./bias-correction.js";
import {
  isOperation,
  nameOf,
  namesIn,
  number,
  sizeOf,
  substitute,
  valueOf,
} from "./expressions.js";
import { inline } from "./inline.js";
import type { Rank } from "./product.js";
import { simplify } from "./simplify.js";
import { withRepeatedIterations } from "./iterations.js";
import { nameBefore, stateOf, type Mathematics, type Statement } from "./statements.js";

/** Sizes up to which a value is written where its name is used. */
const sizes = { always: 5, once: 14 } as const;

/**
 * The mathematics as a paper would write it: equal for real numbers, with fewer names.
 * @param zeros hyperparameters that are left out because they are 0
 */
export function writtenMathematics(
  mathematics: Mathematics,
  zeros: ReadonlySet<string> = new Set(),
): Mathematics {
  const rank = rankOf(mathematics);
  const simplified = (all: Mathematics): Mathematics =>
    withoutIdentities({
      ...all,
      statements: all.statements.map((one) => ({ ...one, value: simplify(one.value, rank) })),
    });
  const known: Mathematics = {
    ...mathematics,
    statements: mathematics.statements.map((one) => ({
      ...one,
      value: substitute(one.value, (name) => (zeros.has(name) ? number(0) : undefined)),
    })),
  };
  const isAtom = ({ value }: Statement): boolean =>
    value.kind === "name" || valueOf(value) !== undefined;
  const withoutNames = inline(simplified(withRepeatedIterations(simplified(known))), isAtom);
  const corrected = simplified(withCorrectedAverages(simplified(withoutNames), rank));
  const short = inline(corrected, (one, uses) => {
    if (one.name.endsWith("Hat") && one.per === "element") return false;
    const size = sizeOf(one.value);
    if (isOperation(one.value, "select")) return isFlag(one) || (uses === 1 && one.name === "u");
    return size <= sizes.always || (uses === 1 && (size <= sizes.once || one.name === "u"));
  });
  return {
    ...short,
    statements: simplified(short).statements.map((one) => distributed(one, rank)),
  };
}

/** Without statements that change nothing, such as `p = p * 1`. */
function withoutIdentities(mathematics: Mathematics): Mathematics {
  const unchanged = new Set<string>();
  const statements: Statement[] = [];
  for (const one of mathematics.statements) {
    const value = substitute(one.value, (name) =>
      unchanged.has(name) ? nameOf(nameBefore(name)) : undefined,
    );
    const read = value.kind === "name" ? value.name : undefined;
    if (read === one.name) continue;
    if (read === nameBefore(one.name)) {
      unchanged.add(one.name);
      continue;
    }
    unchanged.delete(one.name);
    statements.push({ ...one, value });
  }
  return { ...mathematics, statements };
}

/** Whether a scalar is 1 or 0: a condition with a name. */
function isFlag({ value, per }: Statement): boolean {
  if (per !== "step" || !isOperation(value, "select")) return false;
  return value.operands.slice(1).every((one) => [0, 1].includes(valueOf(one) ?? Number.NaN));
}

/** Numbers, scalars, then arrays, then sums and functions of arrays. */
function rankOf({ statements, state }: Mathematics): Rank {
  const arrays = new Set(["p", "g", "u", ...state]);
  for (const { name, per } of statements) if (per === "element") arrays.add(name);
  const isArray = (name: string): boolean => arrays.has(stateOf(name).state.replace(/Hat$/, ""));
  return (factor) => {
    if (factor.kind === "number") return 0;
    const isScalar = ![...namesIn(factor)].some(isArray);
    if (factor.kind === "name") return isScalar ? 1 : 4;
    if (isScalar) return isOperation(factor, "add", "sub") ? 3 : 2;
    return isOperation(factor, "select") ? 6 : 5;
  };
}

/** A product with a condition as a condition of products: a brace needs a line of its own. */
function distributed(statement: Statement, rank: Rank): Statement {
  const { value } = statement;
  const push = (expression: Expression): Expression => {
    if (!isOperation(expression, "mul", "div", "neg", "add", "sub")) return expression;
    const i = expression.operands.findIndex((one) => isOperation(push(one), "select"));
    if (i < 0) return expression;
    const inner = push(expression.operands[i]);
    if (!isOperation(inner, "select")) return expression;
    const [condition, whenTrue, otherwise] = inner.operands;
    const withOperand = (operand: Expression): Expression =>
      simplify(
        { ...expression, operands: expression.operands.map((one, k) => (k === i ? operand : one)) },
        rank,
      );
    return {
      ...inner,
      operands: [condition, push(withOperand(whenTrue)), push(withOperand(otherwise))],
    };
  };
  return { ...statement, value: push(value) };
}
