import type { KernelProgram } from "./kernel-program.js";
import { workgroupSize } from "./kernel-layout.js";
import { emptyValue, joined } from "./wgsl-fragments.js";

/** Lines that reduce outputs of a kernel over the elements of each workgroup. */
export interface WorkgroupReduction {
  /** Parameters in the table, after all others: where the results of the tiles of a segment start. */
  readonly parameters: readonly string[];
  readonly declarations: readonly string[];
  /** Before the loop over elements. */
  readonly beforeLoop: readonly string[];
  /** Joins the values of an element with those before. */
  readonly perElement: (valueOf: (name: string) => string) => readonly string[];
  /** After the loop: a tree over the invocations, and one result per tile. */
  readonly afterLoop: readonly string[];
}

/**
 * Reduces in a fixed order: each invocation its elements one after the other, then the invocations pairwise.
 *
 * @param width the number of values in an element
 */
export function workgroupReductionOf(
  { reductions }: KernelProgram,
  width: 1 | 4,
): WorkgroupReduction {
  const parameters = reductions.map((_, k) => `reduced_start${k}`);
  const variable = (k: number): string => `reduced_value${k}`;
  if (reductions.length === 0) {
    return { parameters, declarations: [], beforeLoop: [], perElement: () => [], afterLoop: [] };
  }
  return {
    parameters,
    declarations: [`var<workgroup> lane_values: array<f32, ${workgroupSize}>;`, ""],
    beforeLoop: reductions.map(({ op }, k) => `var ${variable(k)} = Value(${emptyValue[op]});`),
    perElement: (valueOf) =>
      reductions.map(({ name, op }, k) => {
        const value = valueOf(name);
        return `${variable(k)} = ${joined(op, variable(k), value)};`;
      }),
    afterLoop: reductions.flatMap(({ op }, k) => {
      const [x, y, z, w] = ["x", "y", "z", "w"].map((lane) => `${variable(k)}.${lane}`);
      const value =
        width === 1 ? variable(k) : joined(op, `(${joined(op, x, z)})`, `(${joined(op, y, w)})`);
      return [
        `lane_values[invocation] = ${value};`,
        "workgroupBarrier();",
        `for (var half = ${workgroupSize / 2}u; half > 0u; half /= 2u) {`,
        "  if (invocation < half) {",
        `    lane_values[invocation] = ${joined(op, "lane_values[invocation]", "lane_values[invocation + half]")};`,
        "  }",
        "  workgroupBarrier();",
        "}",
        "if (invocation == 0u) {",
        `  scratch[${parameters[k]} + tile - table[entry]] = lane_values[0];`,
        "}",
        "workgroupBarrier();",
      ];
    }),
  };
}
