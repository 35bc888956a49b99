import { GradstepError, smallestNormal, type Program } from "@gradstep/core";
import type { Random } from "../suite/random/random.js";
import { roundDown, roundTowards, roundUp, ulp } from "./float-neighbors.js";

/**
 * Computes a program as a shader is allowed to ("Floating Point Accuracy" in the WebGPU Shading Language): `+ − ×`
 * rounded to either neighbor, `÷` up to 2.5 ULP off, `√` as the inverse of `inverseSqrt`, which is up to 2 ULP off,
 * `a·b ± c` fused or not, subnormal operands and results replaced by 0 or not. `random` decides what is free,
 * half of the time at an extreme.
 *
 * @param values one per node; those of the inputs are set
 */
export function evaluate(program: Program, values: Float64Array, random: Random): void {
  const { nodes } = program;
  /** Products before they are rounded, for those that are fused into a sum. */
  const products = new Map<number, number>();
  const flush = (x: number): number => (Math.abs(x) < smallestNormal && random.chance(0.5) ? 0 : x);
  const either = (x: number): number => flush(random.chance(0.5) ? roundUp(x) : roundDown(x));
  const off = (exact: number, ulps: number): number => {
    if (!Number.isFinite(exact) || exact === 0) return exact;
    const error = random.chance(0.5) ? random.between(-1, 1) : random.pick([-1, 1]);
    return flush(roundTowards(exact + error * ulps * ulp(exact), exact));
  };
  const divide = (a: number, b: number): number => off(a / b, 2.5);
  for (let i = 0; i < nodes.length; i += 1) {
    const { op, operands, value } = nodes[i];
    if (op === "input") continue;
    const at = (k: number): number => flush(values[operands[k]]);
    const term = (k: number): number => {
      const product = products.get(operands[k]);
      return product !== undefined && random.chance(0.5) ? product : at(k);
    };
    switch (op) {
      case "number":
        values[i] = Math.fround(value);
        break;
      case "neg":
        values[i] = -at(0);
        break;
      case "abs":
        values[i] = Math.abs(at(0));
        break;
      case "sign":
        // Exact on what it is given.
        values[i] = Math.sign(at(0));
        break;
      case "flush":
        values[i] = Math.abs(values[operands[0]]) < smallestNormal ? 0 : values[operands[0]];
        break;
      case "sqrt": {
        const a = at(0);
        values[i] = a === 0 ? 0 : divide(1, off(1 / Math.sqrt(a), 2));
        break;
      }
      case "add":
        values[i] = either(term(0) + term(1));
        break;
      case "sub":
        values[i] = either(term(0) - term(1));
        break;
      case "mul": {
        const product = at(0) * at(1);
        products.set(i, product);
        values[i] = either(product);
        break;
      }
      case "div":
        values[i] = divide(at(0), at(1));
        break;
      case "min":
        values[i] = Math.min(at(0), at(1));
        break;
      case "max":
        values[i] = Math.max(at(0), at(1));
        break;
      case "lt":
        values[i] = at(0) < at(1) ? 1 : 0;
        break;
      case "le":
        values[i] = at(0) <= at(1) ? 1 : 0;
        break;
      case "eq":
        values[i] = at(0) === at(1) ? 1 : 0;
        break;
      case "ne":
        values[i] = at(0) === at(1) ? 0 : 1;
        break;
      case "select":
        values[i] = values[operands[0]] === 1 ? at(1) : at(2);
        break;
      case "pow":
      case "f32":
      case "floor":
      case "sum":
      case "maximum":
      case "count":
      case "newtonSchulz":
        throw new GradstepError(
          `Got the operation ${op} of the host or of tensors in a program of elements.`,
          {
            code: "INVALID_RULE",
          },
        );
    }
  }
}
