import { checkProgram } from "./check-program.js";
import { digest } from "./digest.js";
import type { Op, TensorOp } from "./expression.js";
import type { Extent } from "./extent.js";

/** One value of a program: a number, an input, or an operation on earlier nodes (by index). */
export interface Node {
  readonly op: Op | TensorOp | "number" | "input";
  /** Indices into `Program.nodes`, each smaller than the node's own. */
  readonly operands: readonly number[];
  /** The value of a `number`; NaN otherwise. */
  readonly value: number;
  /** The name of an `input`; empty otherwise. */
  readonly name: string;
  /** How many values it has. */
  readonly extent: Extent;
  /** False if the value is the same for all elements of a tensor: a backend computes it once, before its loop. */
  readonly varies: boolean;
  /** Number of operands and outputs that refer to this node. */
  readonly uses: number;
}

/** A name and the node that holds its value. */
export interface Binding {
  readonly name: string;
  readonly node: number;
}

/** A rule's text as a graph: every sub-expression once, operands before their users, only what the outputs need. */
export interface Program {
  readonly nodes: readonly Node[];
  /** Inputs that the program reads, in order of first use. */
  readonly inputs: readonly Binding[];
  /** Final values of the assigned names that outlive the program, in the order of their first assignment. */
  readonly outputs: readonly Binding[];
  /** The text from which it was made. */
  readonly source: string;
  /**
   * A hash of what it computes and of the order of its arrays, as 16 hexadecimal digits. Programs with equal
   * fingerprints can share a kernel, whatever their text.
   */
  readonly fingerprint: string;
}

/** A node that is not yet counted. */
export type Draft = Omit<Node, "uses">;

/** What a program is made for. */
interface ProgramFrame {
  readonly outputs: readonly Binding[];
  /** All arrays that it can read or write, whose order is part of the fingerprint. */
  readonly arrays: ReadonlyMap<string, Extent>;
  readonly source: string;
  readonly matrices?: string | undefined;
}

/** Keeps the nodes that the outputs need, counts their uses and renumbers them. */
export function prune(
  drafts: readonly Draft[],
  { outputs, arrays, source, matrices }: ProgramFrame,
): Program {
  const uses = drafts.map(() => 0);
  for (const { node } of outputs) uses[node] += 1;
  for (let i = drafts.length - 1; i >= 0; i -= 1) {
    if (uses[i] > 0) for (const operand of drafts[i].operands) uses[operand] += 1;
  }
  const renumbered = new Map<number, number>();
  const nodes: Node[] = [];
  drafts.forEach((draft, i) => {
    if (uses[i] === 0) return;
    renumbered.set(i, nodes.length);
    nodes.push({
      ...draft,
      operands: draft.operands.map((operand) => renumbered.get(operand)!),
      uses: uses[i],
    });
  });
  const kept = outputs.map(({ name, node }) => ({ name, node: renumbered.get(node)! }));
  const inputs = nodes.flatMap((node, i) =>
    node.op === "input" ? [{ name: node.name, node: i }] : [],
  );
  const hash = fingerprint(nodes, kept, arrays, matrices);
  return { nodes, inputs, outputs: kept, source, fingerprint: hash };
}

/** The part of a program that some of its outputs need. */
export function withOutputs(program: Program, outputs: readonly Binding[]): Program {
  checkProgram("withOutputs", program);
  const { nodes, source } = program;
  return prune(nodes, { outputs, arrays: new Map(), source });
}

/** Extents are part of it only if a program has some besides those of the step and of elements. */
function fingerprint(
  nodes: readonly Node[],
  outputs: readonly Binding[],
  arrays: ReadonlyMap<string, Extent>,
  matrices = "first",
): string {
  const isPlain = [...arrays.values(), ...nodes.map(({ extent }) => extent)].every(
    (extent) => extent === "step" || extent === "element",
  );
  const text = JSON.stringify([
    nodes.map((n) => [n.op, n.operands, String(n.value), n.name, isPlain ? n.varies : n.extent]),
    outputs,
    isPlain ? [...arrays.keys()] : [...arrays],
    ...(isPlain || matrices === "first" ? [] : [matrices]),
  ]);
  return digest(text);
}
