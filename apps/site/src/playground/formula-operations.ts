/** An operation of formulas on one or two numbers. */
export interface FormulaOperation {
  readonly operands: 1 | 2;
  readonly value: (a: number, b: number) => number;
  /** The derivatives by both operands. */
  readonly partials: (a: number, b: number) => readonly [number, number];
}

const one = (
  value: (a: number) => number,
  derivative: (a: number) => number,
): FormulaOperation => ({
  operands: 1,
  value,
  partials: (a) => [derivative(a), 0],
});

const two = (
  value: (a: number, b: number) => number,
  partials: (a: number, b: number) => readonly [number, number],
): FormulaOperation => ({ operands: 2, value, partials });

/** The sign before an operand. */
export const negation: FormulaOperation = one(
  (a) => -a,
  () => -1,
);

/** The operators of formulas. */
export const operators = {
  "+": two(
    (a, b) => a + b,
    () => [1, 1],
  ),
  "-": two(
    (a, b) => a - b,
    () => [1, -1],
  ),
  "*": two(
    (a, b) => a * b,
    (a, b) => [b, a],
  ),
  "/": two(
    (a, b) => a / b,
    (a, b) => [1 / b, -a / (b * b)],
  ),
  "**": two(
    (a, b) => a ** b,
    (a, b) => [b === 0 ? 0 : b * a ** (b - 1), a ** b * Math.log(a)],
  ),
} satisfies Readonly<Record<string, FormulaOperation>>;

/** The functions of formulas, by name. */
export const functions: Readonly<Record<string, FormulaOperation>> = {
  sin: one(Math.sin, Math.cos),
  cos: one(Math.cos, (a) => -Math.sin(a)),
  tan: one(Math.tan, (a) => 1 / Math.cos(a) ** 2),
  tanh: one(Math.tanh, (a) => 1 - Math.tanh(a) ** 2),
  exp: one(Math.exp, Math.exp),
  log: one(Math.log, (a) => 1 / a),
  sqrt: one(Math.sqrt, (a) => 0.5 / Math.sqrt(a)),
  abs: one(Math.abs, Math.sign),
  min: two(Math.min, (a, b) => (a <= b ? [1, 0] : [0, 1])),
  max: two(Math.max, (a, b) => (a >= b ? [1, 0] : [0, 1])),
};

/** The numbers that have names. */
export const constants: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };
