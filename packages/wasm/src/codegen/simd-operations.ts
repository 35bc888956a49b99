import { smallestNormal, type Emitter } from "@gradstep/core";
import {
  f32Const,
  f32x4,
  i32Const,
  i32x4Splat,
  localGet,
  localTee,
  v128And,
  v128AndNot,
  v128Bitselect,
  v128Or,
} from "./instruction-set.js";
import { concat, type Code } from "./module-encoder.js";

/** How often a value is computed. */
const frequencies = ["call", "row", "vector"] as const;
export type Frequency = (typeof frequencies)[number];

/** Code that leaves a vector of four values on the stack. */
export interface Operand {
  readonly code: Code;
  /** `call` and `row`: the value is the same for all elements, or for those of a row, and is computed before the loop. */
  readonly frequency: Frequency;
  /** Whether it is the literal 0: no bit is set. */
  readonly isZero?: boolean;
}

/** How operations get their inputs and their locals. */
export interface OperandSource {
  readonly input: (name: string) => Operand;
  /** Computes a value into a local, at this point of the code or before a loop. */
  readonly share: (code: Code, frequency: Frequency) => Operand;
  /** Computes a value once per call: once for equal code. */
  readonly hoist: (code: Code) => Operand;
  /** A new local for a vector. */
  readonly newLocal: () => number;
}

/** The table from operations to SIMD instructions. Each gives the bits of the reference. */
export function simdOperations({ input, share, hoist, newLocal }: OperandSource): Emitter<Operand> {
  const constant = (value: number): Operand => hoist(concat(f32Const(value), f32x4.splat));
  const operation =
    (instruction: Code) =>
    (...operands: Operand[]): Operand => {
      const ranks = operands.map((operand) => frequencies.indexOf(operand.frequency));
      const frequency = frequencies[Math.max(...ranks)];
      // What is computed per row belongs before the loop over its columns.
      const codes = operands.map((one) =>
        frequency === "vector" && one.frequency === "row" ? share(one.code, "row").code : one.code,
      );
      return { code: concat(...codes, instruction), frequency };
    };
  const comparison =
    (instruction: Code) =>
    (...operands: Operand[]): Operand => {
      const condition = operation(instruction)(...operands);
      // `emit` shares conditions only if they are used more than once. Those that do not vary belong before the loop.
      return condition.frequency === "vector"
        ? condition
        : share(condition.code, condition.frequency);
    };
  // Not f32x4.abs: V8 builds its mask at each use, in three instructions.
  const abs = (x: Operand): Operand =>
    operation(v128And)(x, hoist(concat(i32Const(0x7fffffff), i32x4Splat)));
  return {
    number: (value) => ({ ...constant(value), isZero: Object.is(value, 0) }),
    input,
    neg: operation(f32x4.neg),
    abs,
    sqrt: operation(f32x4.sqrt),
    // 1 with the sign of x where 0 < |x|; x itself where it is ±0 or NaN.
    sign: (x) => {
      const local = newLocal();
      const signed = concat(constant(-0).code, v128And, constant(1).code, v128Or);
      const magnitude = abs({ code: localGet(local), frequency: "vector" }).code;
      const isSigned = concat(constant(0).code, magnitude, f32x4.lt);
      return operation(concat(localTee(local), signed, localGet(local), isSigned, v128Bitselect))(
        x,
      );
    },
    flush: (x) => {
      const local = newLocal();
      const magnitude = abs({ code: localGet(local), frequency: "vector" }).code;
      const isSmall = concat(magnitude, constant(smallestNormal).code, f32x4.lt);
      return operation(concat(localTee(local), isSmall, v128AndNot))(x);
    },
    isFinite: (x) => {
      const isBelowInfinity = concat(constant(Infinity).code, f32x4.lt);
      return operation(concat(isBelowInfinity, constant(1).code, v128And))(abs(x));
    },
    add: operation(f32x4.add),
    sub: operation(f32x4.sub),
    mul: operation(f32x4.mul),
    div: operation(f32x4.div),
    min: operation(f32x4.min),
    max: operation(f32x4.max),
    lt: comparison(f32x4.lt),
    le: comparison(f32x4.le),
    eq: comparison(f32x4.eq),
    ne: comparison(f32x4.ne),
    // Flushed slots are 0 where the condition holds: one instruction instead of three.
    select: (condition, a, b) =>
      a.isZero === true
        ? operation(v128AndNot)(b, condition)
        : operation(v128Bitselect)(a, b, condition),
    share: ({ code, frequency }) => share(code, frequency),
  };
}
