import { checkProgram } from "./check-program.js";
import type { Node, Program } from "./program.js";

/** The values of scalars that are known, by name. */
export type KnownScalars = ReadonlyMap<string, number>;

/**
 * The scalars that have the same value in most steps, with which the step is simpler: a factor of `p` that is 1 (no
 * decay), and a threshold of a magnitude that is 0 (no flush). Backends compile a second kernel for these values.
 */
export function knownScalarsOf(program: Program): KnownScalars {
  checkProgram("knownScalarsOf", program);
  const { nodes } = program;
  const known = new Map<string, number>();
  const isScalar = ({ op, extent }: Node): boolean => op === "input" && extent === "step";
  for (const { op, operands } of nodes) {
    const [a, b] = operands.map((operand) => nodes[operand]);
    if (a === undefined || b === undefined || !isScalar(b)) continue;
    if (op === "mul" && a.op === "input" && a.name === "p") known.set(b.name, 1);
    if (op === "lt" && a.op === "abs") known.set(b.name, 0);
  }
  return known;
}

/** The program without the operations that known values make redundant: x · 1, and `|x| < 0 ? a : b`. Exact for every x. */
export function specialize(program: Program, known: KnownScalars): Program {
  checkProgram("specialize", program);
  const { nodes } = program;
  const isKnown = (node: number, value: number): boolean =>
    nodes[node]?.op === "input" && known.get(nodes[node].name) === value;
  /** The node that replaces each node. */
  const replacement = nodes.map((_, i) => i);
  nodes.forEach(({ op, operands }, i) => {
    const [a, b, c] = operands.map((operand) => replacement[operand]);
    if (op === "mul" && isKnown(b, 1)) replacement[i] = a;
    if (op !== "select") return;
    const [x, threshold] = nodes[a]?.op === "lt" ? nodes[a].operands : [];
    if (nodes[x]?.op === "abs" && isKnown(threshold, 0)) replacement[i] = c;
  });
  const outputs = program.outputs.map(({ name, node }) => ({ name, node: replacement[node] }));
  const changed = nodes.map((node) => ({
    ...node,
    operands: node.operands.map((operand) => replacement[operand]),
    uses: 0,
  }));
  for (const { node } of outputs) changed[node].uses += 1;
  for (let i = nodes.length - 1; i >= 0; i -= 1) {
    const { uses, operands } = changed[i];
    if (uses > 0) for (const operand of operands) changed[operand].uses += 1;
  }
  return { ...program, nodes: changed, outputs };
}

/** A slot whose values below a threshold become 0 before anything else reads them. */
export interface FlushedSlot {
  readonly slot: string;
  /** The name of the scalar that is the threshold. */
  readonly threshold: string;
}

/**
 * The slots that a program reads only as `|s| < threshold ? 0 : s`, with thresholds that it uses for nothing else.
 * Backends can flush these in a separate pass, at steps whose threshold is not 0.
 */
export function flushedSlotsOf(program: Program): readonly FlushedSlot[] {
  checkProgram("flushedSlotsOf", program);
  const { nodes, outputs } = program;
  const all = nodes.flatMap(({ op, operands }) => {
    if (op !== "select") return [];
    const [condition, zero, slot] = operands.map((operand) => nodes[operand]);
    const [magnitude, threshold] = condition.operands.map((operand) => nodes[operand]);
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
      threshold.op === "input" &&
      !threshold.varies;
    return isFlushed ? [{ slot, threshold }] : [];
  });
  // A separate pass means that the threshold counts as 0 everywhere else.
  const isOnlyThreshold = (threshold: Node): boolean =>
    all.filter((one) => one.threshold === threshold).length === threshold.uses;
  return all
    .filter(({ threshold }) => isOnlyThreshold(threshold))
    .map(({ slot, threshold }) => ({ slot: slot.name, threshold: threshold.name }));
}
