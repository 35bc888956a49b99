import { GradstepError, hasNames, show, type ElementOp, type Program } from "@gradstep/core";
import { checkModel } from "../option-checks.js";
import { anything, certainInput, operand, point, type Interval } from "./interval.js";
import { unitRoundoff, type ErrorModel } from "./error-model.js";
import { operations } from "./interval-operations.js";

/**
 * The possible results of a `perElement` program, by interval arithmetic over its graph.
 *
 * `input` takes the exact inputs by node (previous state, gradient, scalars rounded to f32), `compute` returns
 * one interval per output. The intervals include every result that the error model permits, also with temporaries of
 * higher precision; a factor of 1 + 64u covers second-order terms.
 */
export class Bounds {
  readonly program: Program;
  readonly model: ErrorModel;
  /** One for each output, in the order of `program.outputs`; replaced by `compute`. */
  readonly outputs: Interval[];
  readonly #nodes: Interval[];

  /**
   * @throws {GradstepError} `INVALID_RULE` for what is no program, and for operations that only the host has;
   * `INVALID_HYPERPARAMETER` for what is no error model
   */
  constructor(program: Program, model: ErrorModel) {
    if (!hasNames(program) || !Array.isArray(program.nodes) || !Array.isArray(program.outputs))
      throw new GradstepError(
        `Bounds: got ${show(program)}; expected a program, such as variantOf(adam()).perElement.`,
        { code: "INVALID_RULE" },
      );
    checkModel("Bounds", model ?? null);
    this.program = program;
    this.model = model;
    this.#nodes = program.nodes.map(({ op, value }) => {
      if (op === "pow" || op === "f32" || op === "floor") {
        throw new GradstepError(
          `Got the operation ${op} of the host; expected an elementwise program.`,
          { code: "INVALID_RULE" },
        );
      }
      return literal(value);
    });
    this.outputs = program.outputs.map(() => point(0));
  }

  /** Sets the exact value of an input. If the model assumes that nothing is NaN or infinite, such a value may act as any. */
  input(node: number, value: number): void {
    this.#nodes[node] = certainInput(value, this.model);
  }

  /** Sets the possible values of an input. */
  inputInterval(node: number, interval: Interval): void {
    this.#nodes[node] = interval;
  }

  /** Computes all outputs from the inputs. */
  compute(): readonly Interval[] {
    const { program, model } = this;
    const nodes = this.#nodes;
    for (let i = 0; i < program.nodes.length; i += 1) {
      const { op, operands } = program.nodes[i];
      if (op === "number" || op === "input") continue;
      const operation = operations[op as ElementOp];
      const [a, b, c] = operands;
      const first = operand(nodes[a], model);
      if (c !== undefined)
        nodes[i] = operation(model, nodes[a], operand(nodes[b], model), operand(nodes[c], model));
      else if (b !== undefined) nodes[i] = operation(model, first, operand(nodes[b], model));
      else nodes[i] = operation(model, first);
    }
    for (let i = 0; i < program.outputs.length; i += 1) {
      this.outputs[i] = stored(nodes[program.outputs[i].node], model);
    }
    return this.outputs;
  }
}

/** A number that an implementation may use in f64 or in f32. */
export function literal(value: number): Interval {
  const single = Math.fround(value);
  return { low: Math.min(value, single), exact: value, high: Math.max(value, single) };
}

/** With second-order terms, and the store's own rounding among subnormals. */
export function stored(interval: Interval, model: ErrorModel): Interval {
  const { low, exact, high } = operand(interval, model);
  if (Number.isNaN(low) || (low === high && !Number.isFinite(low))) return { low, exact, high };
  if (!Number.isFinite(exact)) return anything(exact);
  const slack = 64 * unitRoundoff;
  return {
    low: low - (exact - low) * slack - model.underflow,
    exact,
    high: high + (high - exact) * slack + model.underflow,
  };
}

/**
 * The error of a result divided by its bound: 0 is exact, more than 1 is outside, NaN means that any value is allowed.
 */
export function errorOverBound(result: number, { low, exact, high }: Interval): number {
  if (Number.isNaN(low)) return Number.isNaN(result) ? 0 : Infinity;
  if (low === -Infinity && high === Infinity) return Number.NaN;
  if (Number.isNaN(result)) return Infinity;
  if (low === high) return result === low ? 0 : Infinity;
  const error = result - exact;
  if (error === 0) return 0;
  const bound = error > 0 ? high - exact : exact - low;
  if (bound === Infinity) return result < low || result > high ? Infinity : 0;
  if (!Number.isFinite(result)) return result >= low && result <= high ? 0 : Infinity;
  return Math.abs(error) / bound;
}
