import { checkProgram } from "./check-program.js";
import { isTensorOp, type Op } from "./expression.js";
import type { Program } from "./program.js";

/** The opcode of each operation. */
export const opcodes = {
  number: 0,
  neg: 1,
  abs: 2,
  sqrt: 3,
  sign: 4,
  flush: 5,
  add: 6,
  sub: 7,
  mul: 8,
  div: 9,
  min: 10,
  max: 11,
  pow: 12,
  f32: 13,
  floor: 14,
  lt: 15,
  le: 16,
  eq: 17,
  ne: 18,
  select: 19,
  isFinite: 20,
} as const satisfies Record<Op | "number", number>;

/** Opcodes by name, as types: with them, a wrong number in the cases of a switch does not compile. */
export type Opcodes = typeof opcodes;
/** Any opcode. */
export type Opcode = Opcodes[keyof Opcodes];

/** Length of an instruction: the opcode, the node that it computes, and the nodes of up to three operands. */
export const instructionLength = 5;

/** A program, or a part of one, for the interpreter: compact, since a step starts with cold caches. */
export interface Bytecode {
  readonly instructions: Int32Array;
  /** The numbers of the program, each at the index of its node. */
  readonly numbers: Float64Array;
}

/**
 * Compiles a program, or a pass of one. Inputs need no instructions.
 * @param isIncluded the nodes to compile, all if left out; the values of the other nodes must exist already
 * @throws {GradstepError} `INVALID_RULE`
 */
export function bytecodeOf(
  program: Program,
  isIncluded: (node: number) => boolean = () => true,
): Bytecode {
  checkProgram("bytecodeOf", program);
  const { nodes } = program;
  const instructions: number[] = [];
  const numbers = new Float64Array(nodes.length);
  nodes.forEach(({ op, operands, value }, node) => {
    numbers[node] = value;
    if (op === "input" || isTensorOp(op) || !isIncluded(node)) return;
    // The interpreter always reads three operands: missing ones are the first node.
    const [a = 0, b = 0, c = 0] = operands;
    instructions.push(opcodes[op], node, a, b, c);
  });
  return { instructions: Int32Array.from(instructions), numbers };
}
