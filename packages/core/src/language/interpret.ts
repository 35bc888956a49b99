import { smallestNormal } from "./expression.js";
import type { Precision } from "./precision.js";
import { instructionLength, type Opcode, type Opcodes, type Bytecode } from "./bytecode.js";

/**
 * Evaluates bytecode. `values` has one element per node of the program: the caller sets those of `program.inputs` and
 * reads those of `program.outputs`. Nothing is allocated.
 *
 * With "f32", every result is rounded: `+ − × ÷ √` of f32 values, computed in f64 and then rounded, are the correctly
 * rounded f32 results (53 ≥ 2·24 + 2; Figueroa 1995). The other operations are exact. Without, none is.
 */
export function interpret(
  { instructions, numbers }: Bytecode,
  values: Float64Array,
  precision?: Precision,
): void {
  for (let i = 0; i < instructions.length; i += instructionLength) {
    const node = instructions[i + 1];
    const a = values[instructions[i + 2]];
    const b = values[instructions[i + 3]];
    switch (instructions[i] as Opcode) {
      case 0 satisfies Opcodes["number"]:
        values[node] = numbers[node];
        break;
      case 1 satisfies Opcodes["neg"]:
        values[node] = -a;
        break;
      case 2 satisfies Opcodes["abs"]:
        values[node] = Math.abs(a);
        break;
      case 3 satisfies Opcodes["sqrt"]:
        values[node] = Math.sqrt(a);
        break;
      case 4 satisfies Opcodes["sign"]:
        values[node] = Math.sign(a);
        break;
      case 5 satisfies Opcodes["flush"]:
        values[node] = Math.abs(a) < smallestNormal ? 0 : a;
        break;
      case 6 satisfies Opcodes["add"]:
        values[node] = a + b;
        break;
      case 7 satisfies Opcodes["sub"]:
        values[node] = a - b;
        break;
      case 8 satisfies Opcodes["mul"]:
        values[node] = a * b;
        break;
      case 9 satisfies Opcodes["div"]:
        values[node] = a / b;
        break;
      case 10 satisfies Opcodes["min"]:
        values[node] = Math.min(a, b);
        break;
      case 11 satisfies Opcodes["max"]:
        values[node] = Math.max(a, b);
        break;
      case 12 satisfies Opcodes["pow"]:
        values[node] = a ** b;
        break;
      case 13 satisfies Opcodes["f32"]:
        values[node] = Math.fround(a);
        break;
      case 14 satisfies Opcodes["floor"]:
        values[node] = Math.floor(a);
        break;
      case 15 satisfies Opcodes["lt"]:
        values[node] = a < b ? 1 : 0;
        break;
      case 16 satisfies Opcodes["le"]:
        values[node] = a <= b ? 1 : 0;
        break;
      case 17 satisfies Opcodes["eq"]:
        values[node] = a === b ? 1 : 0;
        break;
      case 18 satisfies Opcodes["ne"]:
        values[node] = a === b ? 0 : 1;
        break;
      case 19 satisfies Opcodes["select"]:
        values[node] = a === 1 ? b : values[instructions[i + 4]];
        break;
      case 20 satisfies Opcodes["isFinite"]:
        values[node] = Number.isFinite(a) ? 1 : 0;
        break;
    }
    // Every case stores its result and this reads it back, since V8 boxes a number that is merged after a switch.
    if (precision === "f32") values[node] = Math.fround(values[node]);
  }
}
