import { smallestNormal } from "./expression.js";
import type { Program } from "./program.js";

/**
 * Evaluates a program: what each operation means. `values` has one place for each node; the caller has put the inputs
 * into theirs (`program.inputs`) and finds the outputs in theirs (`program.outputs`). Nothing is allocated.
 *
 * With `rounded`, every result is rounded to f32: `+ − × ÷ √` of f32 values, computed in f64 and rounded once more,
 * are the correctly rounded f32 results (53 ≥ 2·24 + 2; Figueroa 1995), and the other operations are exact.
 */
export function interpret(program: Program, values: Float64Array, rounded: boolean): void {
  const { nodes } = program;
  for (let i = 0; i < nodes.length; i += 1) {
    const { op, operands, value } = nodes[i];
    if (op === "input") continue;
    if (op === "number") {
      values[i] = rounded ? Math.fround(value) : value;
      continue;
    }
    const a = values[operands[0]];
    const b = operands.length > 1 ? values[operands[1]] : 0;
    let result: number;
    switch (op) {
      case "neg":
        result = -a;
        break;
      case "abs":
        result = Math.abs(a);
        break;
      case "sqrt":
        result = Math.sqrt(a);
        break;
      case "sign":
        result = Math.sign(a);
        break;
      case "flush":
        result = Math.abs(a) < smallestNormal ? 0 : a;
        break;
      case "add":
        result = a + b;
        break;
      case "sub":
        result = a - b;
        break;
      case "mul":
        result = a * b;
        break;
      case "div":
        result = a / b;
        break;
      case "min":
        result = Math.min(a, b);
        break;
      case "max":
        result = Math.max(a, b);
        break;
      case "pow":
        result = a ** b;
        break;
      case "f32":
        result = Math.fround(a);
        break;
      case "floor":
        result = Math.floor(a);
        break;
      case "lt":
        result = a < b ? 1 : 0;
        break;
      case "le":
        result = a <= b ? 1 : 0;
        break;
      case "eq":
        result = a === b ? 1 : 0;
        break;
      case "ne":
        result = a === b ? 0 : 1;
        break;
      case "select":
        result = a === 1 ? b : values[operands[2]];
        break;
    }
    values[i] = rounded ? Math.fround(result) : result;
  }
}
