import { smallestNormal } from "./expression.js";
import { instructionLength, type Code, type Codes, type Tape } from "./tape.js";

/**
 * Evaluates a tape: what each operation means. `values` has one place for each node of the program; the caller has put
 * the inputs into theirs (`program.inputs`) and finds the outputs in theirs (`program.outputs`). Nothing is allocated.
 *
 * With `rounded`, every result is rounded to f32: `+ − × ÷ √` of f32 values, computed in f64 and rounded once more,
 * are the correctly rounded f32 results (53 ≥ 2·24 + 2; Figueroa 1995), and the other operations are exact.
 */
export function interpret({ cells, numbers }: Tape, values: Float64Array, rounded: boolean): void {
  for (let i = 0; i < cells.length; i += instructionLength) {
    const node = cells[i + 1];
    const a = values[cells[i + 2]];
    const b = values[cells[i + 3]];
    switch (cells[i] as Code) {
      case 0 satisfies Codes["number"]:
        values[node] = numbers[node];
        break;
      case 1 satisfies Codes["neg"]:
        values[node] = -a;
        break;
      case 2 satisfies Codes["abs"]:
        values[node] = Math.abs(a);
        break;
      case 3 satisfies Codes["sqrt"]:
        values[node] = Math.sqrt(a);
        break;
      case 4 satisfies Codes["sign"]:
        values[node] = Math.sign(a);
        break;
      case 5 satisfies Codes["flush"]:
        values[node] = Math.abs(a) < smallestNormal ? 0 : a;
        break;
      case 6 satisfies Codes["add"]:
        values[node] = a + b;
        break;
      case 7 satisfies Codes["sub"]:
        values[node] = a - b;
        break;
      case 8 satisfies Codes["mul"]:
        values[node] = a * b;
        break;
      case 9 satisfies Codes["div"]:
        values[node] = a / b;
        break;
      case 10 satisfies Codes["min"]:
        values[node] = Math.min(a, b);
        break;
      case 11 satisfies Codes["max"]:
        values[node] = Math.max(a, b);
        break;
      case 12 satisfies Codes["pow"]:
        values[node] = a ** b;
        break;
      case 13 satisfies Codes["f32"]:
        values[node] = Math.fround(a);
        break;
      case 14 satisfies Codes["floor"]:
        values[node] = Math.floor(a);
        break;
      case 15 satisfies Codes["lt"]:
        values[node] = a < b ? 1 : 0;
        break;
      case 16 satisfies Codes["le"]:
        values[node] = a <= b ? 1 : 0;
        break;
      case 17 satisfies Codes["eq"]:
        values[node] = a === b ? 1 : 0;
        break;
      case 18 satisfies Codes["ne"]:
        values[node] = a === b ? 0 : 1;
        break;
      case 19 satisfies Codes["select"]:
        values[node] = a === 1 ? b : values[cells[i + 4]];
        break;
    }
    // Every case stores by itself, and this reads back: a number that meets others at the end of a switch is boxed.
    if (rounded) values[node] = Math.fround(values[node]);
  }
}
