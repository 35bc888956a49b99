import { emptyValue, type ReduceOp } from "@gradstep/core";
import type { Random } from "../suite/random/random.js";
import { ShaderArithmetic } from "./shader-arithmetic.js";

/**
 * Reduces values in an order that no shader is better than: any order of the values, in any tree that is no deeper than
 * `depth`, often one that is as lopsided as that allows, with the roundings of a shader.
 */
export function reduceValues(
  op: ReduceOp,
  values: readonly number[],
  depth: number,
  random: Random,
): number {
  if (op === "maximum") return Math.max(emptyValue.maximum, ...values);
  const shader = new ShaderArithmetic(random);
  const order = random.chance(0.5) ? values : random.sample(values, values.length);
  const sum = (start: number, end: number, levels: number): number => {
    const count = end - start;
    if (count === 0) return 0;
    if (count === 1) return shader.flush(order[start]);
    const most = 2 ** (levels - 1);
    const [least, greatest] = [Math.max(1, count - most), Math.min(count - 1, most)];
    const left = random.chance(0.5)
      ? random.pick([least, greatest])
      : random.integer(least, greatest);
    const middle = start + left;
    return shader.either(sum(start, middle, levels - 1) + sum(middle, end, levels - 1));
  };
  return sum(0, order.length, depth);
}
