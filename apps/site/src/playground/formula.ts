import { parseFormulaText, type FormulaNode } from "./formula-parser.js";

/** A function f(x, y) with its exact gradient. */
export interface Formula {
  readonly text: string;
  readonly valueAt: (x: number, y: number) => number;
  /** ∂f/∂x and ∂f/∂y, by the chain rule in f64. */
  readonly gradientAt: (x: number, y: number) => readonly [number, number];
}

/**
 * The function that a text describes: `(1 - x)^2 + 100*(y - x^2)^2`.
 * @throws {FormulaError}
 */
export function parseFormula(text: string): Formula {
  const root = parseFormulaText(text);
  const valueAt = valueFunction(root);
  return {
    text,
    valueAt,
    gradientAt: (x, y) => {
      const { dx, dy } = differentiate(root, x, y);
      return [dx, dy];
    },
  };
}

function valueFunction(node: FormulaNode): (x: number, y: number) => number {
  if (node.kind === "number") {
    const { value } = node;
    return () => value;
  }
  if (node.kind === "variable") return node.name === "x" ? (x) => x : (_, y) => y;
  const { value } = node.operation;
  const first = valueFunction(node.operands[0]);
  if (node.operands.length === 1) return (x, y) => value(first(x, y), 0);
  const second = valueFunction(node.operands[1]);
  return (x, y) => value(first(x, y), second(x, y));
}

/** A value with its derivatives by x and y. */
interface Dual {
  readonly value: number;
  readonly dx: number;
  readonly dy: number;
}

const zero: Dual = { value: 0, dx: 0, dy: 0 };

function differentiate(node: FormulaNode, x: number, y: number): Dual {
  if (node.kind === "number") return { value: node.value, dx: 0, dy: 0 };
  if (node.kind === "variable")
    return node.name === "x" ? { value: x, dx: 1, dy: 0 } : { value: y, dx: 0, dy: 1 };
  const { operation, operands } = node;
  const a = differentiate(operands[0], x, y);
  const b = operands.length === 1 ? zero : differentiate(operands[1], x, y);
  const [byA, byB] = operation.partials(a.value, b.value);
  return {
    value: operation.value(a.value, b.value),
    dx: chained(byA, a.dx) + chained(byB, b.dx),
    dy: chained(byA, a.dy) + chained(byB, b.dy),
  };
}

/** A constant operand has no part in a derivative, also where its partial derivative does not exist: (−2)². */
function chained(partial: number, derivative: number): number {
  return derivative === 0 ? 0 : partial * derivative;
}
