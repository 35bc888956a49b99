import type { Expression } from "@gradstep/core";
import { countOf, namesIn, substitute } from "./expressions.js";
import type { Mathematics, Statement } from "./statements.js";

/** Whether to write the value of a name where the name is used. */
export type ShouldInline = (statement: Statement, uses: number) => boolean;

/**
 * With values in place of names, where that does not change what is computed: the name has one value, and nothing that
 * the value reads is assigned between it and its uses.
 */
export function inline(mathematics: Mathematics, shouldInline: ShouldInline): Mathematics {
  let { statements } = mathematics;
  for (let i = 0; i < statements.length;) {
    const one = statements[i];
    const after = statements.slice(i + 1);
    const uses = after.reduce((sum, { value }) => sum + countOf(value, one.name), 0);
    const isLocal =
      !mathematics.outputs.has(one.name) &&
      one.name !== "g" &&
      statements.every((other) => other === one || other.name !== one.name);
    if (isLocal && uses === 0) {
      statements = statements.filter((other) => other !== one);
      // What only this statement read is of no use either.
      i = 0;
    } else if (isLocal && shouldInline(one, uses) && isUnchanged(one, after)) {
      statements = [...statements.slice(0, i), ...after.map((other) => withValue(other, one))];
    } else i += 1;
  }
  return { ...mathematics, statements };
}

function withValue(statement: Statement, { name, value }: Statement): Statement {
  const replace = (expression: Expression): Expression =>
    substitute(expression, (one) => (one === name ? value : undefined));
  return { ...statement, value: replace(statement.value) };
}

function isUnchanged({ name, value }: Statement, after: readonly Statement[]): boolean {
  const read = namesIn(value);
  const uses = after.flatMap((one, i) => (countOf(one.value, name) > 0 ? [i] : []));
  return after.slice(0, uses.at(-1)).every((one) => !read.has(one.name));
}
