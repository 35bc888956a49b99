import type { Extent, ReducedExtent } from "./extent.js";
import type { Program } from "./program.js";
import type { ReduceOp } from "./summation.js";

/** An array that a step writes and reads again: what a reduction found, the operand or the result of a matrix product. */
export interface Temporary {
  /** Starts with `@`, which no name of a rule does. */
  readonly name: string;
  readonly extent: Exclude<Extent, "step">;
  /**
   * For the extent `all`, if it depends on parameters and gradients alone: what it computes. Rules that run in one step
   * share such values: the global norm is that of all their tensors.
   */
  readonly key?: string;
}

/** A number of values, which a backend provides as an input: rounded to f32, without rows that a mask leaves out. */
export interface Count {
  /** Starts with `@`. */
  readonly name: string;
  /** What is counted. */
  readonly of: Extent;
  /** Where: there is a number for each of these. Numbers of tensors are added by a reduction. */
  readonly per: Exclude<ReducedExtent, "all">;
}

/** Joins the values of an output of a program, in the order of `reduce`, to one value per row, column, tensor or in all. */
export interface Reduction {
  /** The output, and the temporary with the result. */
  readonly name: string;
  readonly op: ReduceOp;
  readonly over: ReducedExtent;
}

/** Evaluates a program for each index of an extent. */
export interface MapPass {
  readonly kind: "map";
  /** How many reductions, one after the other, have to be finished before it. */
  readonly level: number;
  readonly over: Exclude<Extent, "step">;
  /**
   * Inputs are scalars, counts, and arrays of this extent or a wider one. Outputs that are not the operand of a
   * reduction are stored under their names: parameter, slots and temporaries of this extent.
   */
  readonly program: Program;
  readonly reductions: readonly Reduction[];
}

/** One Newton–Schulz iteration per matrix, between temporaries of elements. */
export interface MatrixPass {
  readonly kind: "newtonSchulz";
  readonly level: number;
  /** May be the same temporary as `to`. */
  readonly from: string;
  readonly to: string;
  /** Numbers, or names of scalars. */
  readonly coefficients: readonly (number | string)[];
}

export type Pass = MapPass | MatrixPass;

/** How a backend executes a program: passes in this order, and what they hand on. */
export interface PassPlan {
  readonly passes: readonly Pass[];
  readonly temporaries: readonly Temporary[];
  readonly counts: readonly Count[];
}
