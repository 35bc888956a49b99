import type { Node, Program } from "./program.js";

/** Scalars by name that are known to have a value. */
export type KnownScalars = ReadonlyMap<string, number>;

/**
 * For those who write a backend: the values of scalars with which a step has less to do, as most steps have: a factor of `p` that is 1 (nothing
 * decays) and a limit on a magnitude that is 0 (nothing is below it).
 */
export function knownScalarsOf({ nodes }: Program): KnownScalars {
  const settled = new Map<string, number>();
  const isScalar = ({ op, varies }: Node): boolean => op === "input" && !varies;
  for (const { op, operands } of nodes) {
    const [a, b] = operands.map((operand) => nodes[operand]);
    if (a === undefined || b === undefined || !isScalar(b)) continue;
    if (op === "mul" && a.op === "input" && a.name === "p") settled.set(b.name, 1);
    if (op === "lt" && a.op === "abs") settled.set(b.name, 0);
  }
  return settled;
}

/** The program without what those values make the identity: x · 1, and `|x| < 0 ? a : b`. Exact for every x. */
export function specialize(program: Program, settled: KnownScalars): Program {
  const { nodes } = program;
  const isKnown = (node: number, value: number): boolean =>
    nodes[node].op === "input" && settled.get(nodes[node].name) === value;
  /** What stands for a node. */
  const instead = nodes.map((_, i) => i);
  nodes.forEach(({ op, operands }, i) => {
    const [a, b, c] = operands.map((operand) => instead[operand]);
    if (op === "mul" && isKnown(b, 1)) instead[i] = a;
    if (op !== "select") return;
    const condition = nodes[a];
    const [x, limit] = condition.operands;
    if (condition.op === "lt" && nodes[x].op === "abs" && isKnown(limit, 0)) instead[i] = c;
  });
  const outputs = program.outputs.map(({ name, node }) => ({ name, node: instead[node] }));
  const changed = nodes.map((node) => ({
    ...node,
    operands: node.operands.map((operand) => instead[operand]),
    uses: 0,
  }));
  for (const { node } of outputs) changed[node].uses += 1;
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    const { uses, operands } = changed[i];
    if (uses > 0) for (const operand of operands) changed[operand].uses += 1;
  }
  return { ...program, nodes: changed, outputs };
}

/** A slot whose values below a limit become 0 before anything else is done with them. */
export interface FlushedSlot {
  readonly slot: string;
  /** The name of the scalar. */
  readonly threshold: string;
}

/**
 * For those who write a backend: the slots that a program assigns and of which it reads nothing but
 * `|s| < limit ? 0 : s`, with limits that it uses for nothing else. That can be done in a pass of its own, and only where
 * the limit is not 0.
 */
export function flushedSlotsOf({ nodes, outputs }: Program): readonly FlushedSlot[] {
  const all = nodes.flatMap(({ op, operands }) => {
    if (op !== "select") return [];
    const [condition, zero, slot] = operands.map((operand) => nodes[operand]);
    const [magnitude, limit] = condition.operands.map((operand) => nodes[operand]);
    const isFlushed =
      condition.op === "lt" &&
      condition.uses === 1 &&
      magnitude.op === "abs" &&
      nodes[magnitude.operands[0]] === slot &&
      zero.op === "number" &&
      Object.is(zero.value, 0) &&
      slot.op === "input" &&
      slot.name !== "p" &&
      outputs.some(({ name }) => name === slot.name) &&
      slot.uses === magnitude.uses + 1 &&
      magnitude.uses === 1 &&
      limit.op === "input" &&
      !limit.varies;
    return isFlushed ? [{ slot, limit }] : [];
  });
  // Who clears them in a pass of its own takes the limit for 0 in all the rest.
  const isOnlyLimit = (limit: Node): boolean =>
    all.filter((one) => one.limit === limit).length === limit.uses;
  return all
    .filter(({ limit }) => isOnlyLimit(limit))
    .map(({ slot, limit }) => ({ slot: slot.name, threshold: limit.name }));
}
