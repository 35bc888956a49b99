import type { Values } from "../backend/memory.js";
import { bytecodeOf, type Bytecode } from "../language/bytecode.js";
import { interpret } from "../language/interpret.js";
import { roundingTo, type Precision, type Rounding } from "../language/precision.js";
import type { Program } from "../language/program.js";
import { joinRounded, reduce, type ReduceOp } from "../language/summation.js";

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
  readonly roundProducts: (values: Values) => Rounding;
}

/** The arithmetic that the language defines. */
export function definedArithmetic(precision: Precision): PassArithmetic {
  const round = roundingTo(precision);
  const bytecodes = new WeakMap<Program, Bytecode>();
  return {
    scalar: round,
    evaluate: (program, values) => {
      let bytecode = bytecodes.get(program);
      if (bytecode === undefined) {
        bytecode = bytecodeOf(program);
        bytecodes.set(program, bytecode);
      }
      interpret(bytecode, values, precision);
    },
    reduce: (op, count, valueAt) => reduce(op, count, valueAt, precision),
    join: (op, values) => joinRounded(op, values, precision),
    roundProducts: () => round,
  };
}
