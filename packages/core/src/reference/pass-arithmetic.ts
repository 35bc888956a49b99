import type { Values } from "../backend/backend.js";
import { bytecodeOf, type Bytecode } from "../language/bytecode.js";
import { interpret } from "../language/interpret.js";
import type { Program } from "../language/program.js";
import { joinPairwise, reduce, type ReduceOp } from "../language/summation.js";

/** What the passes of a step compute with. An implementation other than the reference replaces parts of it. */
export interface PassArithmetic {
  /** A scalar or a count as it enters a program. */
  readonly scalar: (value: number) => number;
  /** Computes all nodes of a program, in place. */
  readonly evaluate: (program: Program, values: Float64Array) => void;
  /** Reduces the values at some positions; undefined for those that take no part. */
  readonly reduce: (
    op: ReduceOp,
    count: number,
    valueAt: (position: number) => number | undefined,
  ) => number;
  /** Joins the values of tensors. */
  readonly join: (op: ReduceOp, values: number[]) => number;
  /** The rounding of each operation of a Newton–Schulz iteration of these values. */
  readonly roundProducts: (values: Values) => (value: number) => number;
}

/** The arithmetic that the language defines, in f32 or in f64. */
export function definedArithmetic(rounded: boolean): PassArithmetic {
  const round: (value: number) => number = rounded ? Math.fround : (value) => value;
  const bytecodes = new WeakMap<Program, Bytecode>();
  return {
    scalar: round,
    evaluate: (program, values) => {
      let bytecode = bytecodes.get(program);
      if (bytecode === undefined) {
        bytecode = bytecodeOf(program);
        bytecodes.set(program, bytecode);
      }
      interpret(bytecode, values, rounded);
    },
    reduce: (op, count, valueAt) => reduce(op, count, valueAt, rounded),
    join: (op, values) => joinPairwise(op, values, values.length, rounded),
    roundProducts: () => round,
  };
}
