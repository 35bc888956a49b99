import { GradstepError, smallestNormal, type Program } from "@gradstep/core";
import type { Random } from "../suite/random/random.js";
import { ShaderArithmetic } from "./shader-arithmetic.js";

/**
 * Computes a program as a shader is allowed to: `÷` up to 2.5 ULP off, `√` as the inverse of `inverseSqrt`, which is up to
 * 2 ULP off, `a·b ± c` fused or not.
 *
 * @param values one per node; those of the inputs are set
 */
export function evaluate(program: Program, values: Float64Array, random: Random): void {
  const { nodes } = program;
  /** Products before they are rounded, for those that are fused into a sum. */
  const products = new Map<number, number>();
  const shader = new ShaderArithmetic(random);
  for (let i = 0; i < nodes.length; i += 1) {
    const { op, operands, value } = nodes[i];
    if (op === "input") continue;
    const at = (k: number): number => shader.flush(values[operands[k]]);
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
      case "isFinite":
        values[i] = Number.isFinite(values[operands[0]]) ? 1 : 0;
        break;
      case "sqrt": {
        const a = at(0);
        values[i] = a === 0 ? 0 : shader.divide(1, shader.off(1 / Math.sqrt(a), 2));
        break;
      }
      case "add":
        values[i] = shader.either(term(0) + term(1));
        break;
      case "sub":
        values[i] = shader.either(term(0) - term(1));
        break;
      case "mul": {
        const product = at(0) * at(1);
        products.set(i, product);
        values[i] = shader.either(product);
        break;
      }
      case "div":
        values[i] = shader.divide(at(0), at(1));
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
          `Got the operation ${op}, which belongs to the host or to tensors; expected an elementwise program.`,
          {
            code: "INVALID_RULE",
          },
        );
    }
  }
}
