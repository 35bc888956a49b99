import type { Expression } from "@gradstep/core";
import { isEqual, isOperation, nameOf } from "./expressions.js";
import type { Mathematics, Statement } from "./statements.js";

/**
 * With one statement in place of the Newton–Schulz iterations of a text, which are written one by one, each with
 * coefficients of its own that are 1, 0 and 0 after the last: `x = newtonSchulz(x, a0, b0, c0)`. Where all iterations
 * have the same coefficients, these are written in it; otherwise they keep their names, with an index i.
 */
export function withRepeatedIterations(mathematics: Mathematics): Mathematics {
  const { statements } = mathematics;
  const first = statements.findIndex(isIteration);
  if (first < 0) return mathematics;
  const count = statements.slice(first).findIndex((one) => !isIteration(one));
  const last = count < 0 ? statements.length : first + count;
  const coefficients = statements.slice(first, last).map(coefficientsOf);
  const valueOfName = new Map(statements.map(({ name, value }) => [name, value]));
  const values = coefficients.map((names) =>
    names.map((name) => coefficient(valueOfName.get(name))),
  );
  if (values.flat().includes(undefined)) return mathematics;
  const [own, ...others] = values as { readonly value: Expression; readonly count: Expression }[][];
  const isSame = others.every((one) => one.every(({ value }, i) => isEqual(value, own[i].value)));
  const iteration = statements[first];
  if (!("operands" in iteration.value)) return mathematics;
  const [matrix] = iteration.value.operands;
  const indexed = coefficients[0].map((name) => `${name.replace(/\d+$/, "")}I`);
  const repeated: Statement = {
    ...iteration,
    value: {
      ...iteration.value,
      operands: [matrix, ...own.map(({ value }, i) => (isSame ? value : nameOf(indexed[i])))],
    },
    repeats: {
      count: own[0].count,
      values: new Map(
        isSame ? [] : indexed.map((name, i) => [name, [own, ...others].map((one) => one[i].value)]),
      ),
    },
  };
  const isCoefficient = ({ name }: Statement): boolean => coefficients.flat().includes(name);
  return {
    ...mathematics,
    statements: [
      ...statements.slice(0, first).filter((one) => !isCoefficient(one)),
      repeated,
      ...statements.slice(last),
    ],
  };
}

/** `x = newtonSchulz(x, a0, b0, c0)`. */
function isIteration({ name, value }: Statement): boolean {
  return (
    value.kind === "tensor" &&
    value.name === "newtonSchulz" &&
    value.operands.every((one) => one.kind === "name") &&
    isEqual(value.operands[0], nameOf(name))
  );
}

function coefficientsOf({ value }: Statement): readonly string[] {
  if (value.kind !== "tensor") return [];
  return value.operands.slice(1).flatMap((one) => (one.kind === "name" ? [one.name] : []));
}

/** `3 < nsSteps ? muonA : 1` as muonA, of nsSteps iterations. */
function coefficient(
  value: Expression | undefined,
): { readonly value: Expression; readonly count: Expression } | undefined {
  if (value === undefined || !isOperation(value, "select")) return undefined;
  const [condition, whenTrue] = value.operands;
  if (!isOperation(condition, "lt") || condition.operands[0].kind !== "number") return undefined;
  return { value: whenTrue, count: condition.operands[1] };
}
