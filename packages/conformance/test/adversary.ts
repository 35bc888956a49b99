import type { Program } from "@gradstep/core";
import type { Random } from "../src/suite/random/random.js";

/** An evaluation that errs as far as it is free to: rounds to either neighbour, fuses, flushes, or does not round. */
export function adversary(
  program: Program,
  inputs: readonly number[],
  freedom: "none" | "extra precision" | "wgsl",
  random: Random,
): number[] {
  const values = new Float64Array(program.nodes.length);
  program.inputs.forEach(({ node }, i) => {
    values[node] = inputs[i]!;
  });
  const free = freedom === "wgsl";
  const flush = (x: number): number =>
    free && Math.abs(x) < 2 ** -126 && random.chance(0.5) ? 0 : x;
  const off = (x: number, relative: number): number =>
    x *
    (1 + relative * 2 ** -24 * (random.chance(0.5) ? random.between(-1, 1) : random.pick([-1, 1])));
  const finish = (x: number): number => {
    if (freedom === "none") return Math.fround(x);
    if (freedom === "extra precision") return random.chance(0.5) ? x : Math.fround(x);
    return flush(random.chance(0.5) ? up(x) : down(x));
  };
  program.nodes.forEach(({ op, operands, value }, i) => {
    const [a, b, c] = operands.map((operand) => flush(values[operand])) as [number, number, number];
    switch (op) {
      case "input":
        return;
      case "number":
        values[i] = freedom === "extra precision" ? value : Math.fround(value);
        return;
      case "add":
        values[i] = finish(a + b);
        return;
      case "sub":
        values[i] = finish(a - b);
        return;
      case "mul":
        values[i] = finish(a * b);
        return;
      case "div":
        values[i] = free ? flush(Math.fround(off(a / b, 4))) : finish(a / b);
        return;
      case "sqrt":
        values[i] = free ? flush(Math.fround(off(Math.sqrt(a), 8))) : finish(Math.sqrt(a));
        return;
      case "neg":
        values[i] = -a;
        return;
      case "abs":
        values[i] = Math.abs(a);
        return;
      case "sign":
        values[i] = Math.sign(a);
        return;
      case "flush":
        values[i] = Math.abs(a) < 2 ** -126 ? 0 : a;
        return;
      case "isFinite":
        values[i] = Number.isFinite(a) ? 1 : 0;
        return;
      case "min":
        values[i] = Math.min(a, b);
        return;
      case "max":
        values[i] = Math.max(a, b);
        return;
      case "lt":
        values[i] = a < b ? 1 : 0;
        return;
      case "le":
        values[i] = a <= b ? 1 : 0;
        return;
      case "eq":
        values[i] = a === b ? 1 : 0;
        return;
      case "ne":
        values[i] = a === b ? 0 : 1;
        return;
      case "select":
        values[i] = a === 1 ? b : c;
        return;
      case "sum":
      case "maximum":
      case "count":
      case "newtonSchulz":
      case "pow":
      case "floor":
      case "f32":
        throw new Error(op);
    }
  });
  return program.outputs.map(({ node }) => Math.fround(values[node]));
}

const cell = new Float32Array(1);
const bits = new Int32Array(cell.buffer);

/** The smallest f32 that is not below x. */
function up(x: number): number {
  cell[0] = x;
  if (cell[0] >= x || !Number.isFinite(cell[0])) return cell[0];
  if (cell[0] === 0) return 2 ** -149;
  bits[0] += cell[0] > 0 ? 1 : -1;
  return cell[0];
}

/** The greatest f32 that is not above x. */
function down(x: number): number {
  return -up(-x);
}
