import type { Op } from "./expression.js";
import type { Program } from "./program.js";

/** What an operation is called on a tape. */
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
} as const satisfies Record<Op | "number", number>;

/** By name, as types: the cases of a switch are numbers, and a slip in one does not compile. */
export type Opcodes = typeof opcodes;
/** Any of them. */
export type Opcode = Opcodes[keyof Opcodes];

/** Cells of an instruction: its code, the node whose value it gives, and the nodes of up to three operands. */
export const instructionLength = 5;

/** A program, or a part of one, as it is interpreted: in a few cache lines, since a step finds the cache cold. */
export interface Bytecode {
  readonly instructions: Int32Array;
  /** The numbers of the program, each at the place of its node. */
  readonly numbers: Float64Array;
}

/**
 * The instructions of a program in their order; inputs need none.
 * @param isWanted the nodes to take, all if left out. What the others give is found where it was put.
 */
export function bytecodeOf(
  { nodes }: Program,
  isWanted: (node: number) => boolean = () => true,
): Bytecode {
  const cells: number[] = [];
  const numbers = new Float64Array(nodes.length);
  nodes.forEach(({ op, operands, value }, node) => {
    numbers[node] = value;
    if (op === "input" || !isWanted(node)) return;
    // Reading a fourth operand's place must be harmless: what is not there is the first node.
    const [a = 0, b = 0, c = 0] = operands;
    cells.push(opcodes[op], node, a, b, c);
  });
  return { instructions: Int32Array.from(cells), numbers };
}
