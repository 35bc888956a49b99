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
    switch (op) {
      case "neg":
        values[i] = -a;
        break;
      case "abs":
        values[i] = Math.abs(a);
        break;
      case "sqrt":
        values[i] = Math.sqrt(a);
        break;
      case "sign":
        values[i] = Math.sign(a);
        break;
      case "flush":
        values[i] = Math.abs(a) < smallestNormal ? 0 : a;
        break;
      case "add":
        values[i] = a + b;
        break;
      case "sub":
        values[i] = a - b;
        break;
      case "mul":
        values[i] = a * b;
        break;
      case "div":
        values[i] = a / b;
        break;
      case "min":
        values[i] = Math.min(a, b);
        break;
      case "max":
        values[i] = Math.max(a, b);
        break;
      case "pow":
        values[i] = a ** b;
        break;
      case "f32":
        values[i] = Math.fround(a);
        break;
      case "floor":
        values[i] = Math.floor(a);
        break;
      case "lt":
        values[i] = a < b ? 1 : 0;
        break;
      case "le":
        values[i] = a <= b ? 1 : 0;
        break;
      case "eq":
        values[i] = a === b ? 1 : 0;
        break;
      case "ne":
        values[i] = a === b ? 0 : 1;
        break;
      case "select":
        values[i] = a === 1 ? b : values[operands[2]];
        break;
    }
    // Every case stores by itself, and this reads back: a number that meets others at the end of a switch is boxed.
    if (rounded) values[i] = Math.fround(values[i]);
  }
}
