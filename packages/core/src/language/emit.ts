import { GradstepError, show } from "../errors.js";
import { propertyOf } from "../argument-checks/property-of.js";
import { checkProgram } from "./check-program.js";
import { isComparison, type ElementOp } from "./expression.js";
import type { Extent } from "./extent.js";
import type { Program } from "./program.js";

/**
 * How a backend translates each operation. `T` stands for a value there: source text, a wasm local, a closure. The table
 * is total: an operation that is added to the language is a type error in every backend that does not translate it.
 */
export type Emitter<T> = Record<ElementOp, (...operands: T[]) => T> & {
  /** A literal of the rule. */
  readonly number: (value: number) => T;
  /** The current element of `p`, `g` or a slot, or a scalar of the step. */
  readonly input: (name: string, varies: boolean, extent: Extent) => T;
  /**
   * Called for every operation that is used more than once: binds the value to a name, so that it is computed once.
   * If `varies` is false, the binding belongs before the loop; if its extent is that of rows, before the loop over columns.
   */
  readonly share: (value: T, varies: boolean, extent: Extent) => T;
};

/**
 * Translates an elementwise program: one value per output, in the order of the outputs.
 *
 * Operations are visited once, operands first. Values that do not vary between elements are always shared, except for
 * conditions. All outputs must be computed before any is stored, since later outputs may read what earlier ones replace.
 *
 * @throws {GradstepError} `INVALID_RULE`, `UNSUPPORTED` for an operation that the emitter does not have
 */
export function emit<T>(
  program: Program,
  emitter: Emitter<T>,
): readonly { readonly name: string; readonly value: T }[] {
  checkProgram("emit", program);
  const values: T[] = [];
  const ops = new Set(["input", "number", "share", ...program.nodes.map(({ op }) => op)]);
  for (const op of ops)
    if (typeof propertyOf(emitter, op) !== "function")
      throw new GradstepError(
        `emit: ${op} of the emitter is ${show(propertyOf(emitter, op))}; expected a function.`,
        { code: "UNSUPPORTED" },
      );
  for (const { op, operands, value, name, varies, extent, uses } of program.nodes) {
    if (op === "number") values.push(emitter.number(value));
    else if (op === "input") values.push(emitter.input(name, varies, extent));
    else {
      // buildProgram refuses operations of the host in elementwise programs; passes have no operations on tensors.
      const result = emitter[op as ElementOp](...operands.map((operand) => values[operand]));
      const isShared = uses > 1 || (!varies && !isComparison(op as ElementOp));
      values.push(isShared ? emitter.share(result, varies, extent) : result);
    }
  }
  return program.outputs.map(({ name, node }) => ({ name, value: values[node] }));
}
