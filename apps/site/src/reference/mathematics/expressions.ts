import type { Expression, Op } from "@gradstep/core";

type Operation = Extract<Expression, { kind: "operation" }>;

/** Made expressions stand in no text. */
const at = { line: 0, column: 0 };

/** A number. A negative one is the negation of a number, as in a parsed text. */
export function number(value: number): Expression {
  return value < 0
    ? operation("neg", { kind: "number", value: -value, at })
    : { kind: "number", value, at };
}

/** A name. */
export function nameOf(name: string): Expression {
  return { kind: "name", name, at };
}

/** An operation. */
export function operation(op: Op, ...operands: readonly Expression[]): Expression {
  return { kind: "operation", op, operands, at };
}

/** Whether it is this operation. */
export function isOperation<O extends Op>(
  expression: Expression,
  ...ops: readonly O[]
): expression is Operation & { readonly op: O } {
  return expression.kind === "operation" && (ops as readonly Op[]).includes(expression.op);
}

/** The value of a number, or of the negation of one; undefined for anything else. */
export function valueOf(expression: Expression): number | undefined {
  if (expression.kind === "number") return expression.value;
  if (!isOperation(expression, "neg")) return undefined;
  const [operand] = expression.operands;
  return operand.kind === "number" ? -operand.value : undefined;
}

/** The value of numbers with arithmetic. NaN if there is a name in it. */
export function numberOf(expression: Expression): number {
  const value = valueOf(expression);
  if (value !== undefined || expression.kind !== "operation") return value ?? Number.NaN;
  return (
    arithmetic[expression.op]?.(...(expression.operands.map(numberOf) as [number, number])) ??
    Number.NaN
  );
}

const arithmetic: Readonly<Partial<Record<Op, (a: number, b: number) => number>>> = {
  neg: (a) => -a,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
};

/** Whether it is the number. */
export function isNumber(expression: Expression, value: number): boolean {
  return valueOf(expression) === value;
}

function operandsOf(expression: Expression): readonly Expression[] {
  return "operands" in expression ? expression.operands : [];
}

/** How many numbers, names and operations it has. */
export function sizeOf(expression: Expression): number {
  return operandsOf(expression).reduce((sum, one) => sum + sizeOf(one), 1);
}

/** How often it has the name. */
export function countOf(expression: Expression, name: string): number {
  if (expression.kind === "name") return expression.name === name ? 1 : 0;
  return operandsOf(expression).reduce((sum, one) => sum + countOf(one, name), 0);
}

/** All names in it. */
export function namesIn(expression: Expression): ReadonlySet<string> {
  if (expression.kind === "name") return new Set([expression.name]);
  return new Set(operandsOf(expression).flatMap((one) => [...namesIn(one)]));
}

/** With other operands. */
export function withOperands(
  expression: Expression,
  change: (operand: Expression) => Expression,
): Expression {
  return "operands" in expression
    ? { ...expression, operands: expression.operands.map(change) }
    : expression;
}

/** With expressions in place of names. */
export function substitute(
  expression: Expression,
  replacementOf: (name: string) => Expression | undefined,
): Expression {
  if (expression.kind === "name") return replacementOf(expression.name) ?? expression;
  return withOperands(expression, (one) => substitute(one, replacementOf));
}

/** Whether both are written alike. */
export function isEqual(a: Expression, b: Expression): boolean {
  return keyOf(a) === keyOf(b);
}

/** A text that two expressions share if they are written alike. */
export function keyOf(expression: Expression): string {
  if (expression.kind === "number") return String(expression.value);
  if (expression.kind === "name") return expression.name;
  const head = expression.kind === "operation" ? expression.op : expression.name;
  return `${head}(${expression.operands.map(keyOf).join(",")})`;
}
