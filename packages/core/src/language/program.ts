import { isHostOp, type Expression, type Op } from "./expression.js";
import { parse } from "./parse.js";
import { SyntaxFault } from "./syntax-fault.js";

/** One value of a program: a number, an input, or an operation on earlier nodes (by index). */
export interface Node {
  readonly op: Op | "number" | "input";
  /** Indices into `Program.nodes`, each smaller than the node's own. */
  readonly operands: readonly number[];
  /** The value of a `number`; NaN otherwise. */
  readonly value: number;
  /** The name of an `input`; empty otherwise. */
  readonly name: string;
  /** False if the value is the same for every element: a backend computes it once, before its loop. */
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

/** What the names in a text mean. */
export interface Scope {
  /** Names with a value per element, in the order in which a kernel receives their arrays. */
  readonly elements: Iterable<string>;
  /** Names with a single value for all elements. They cannot be assigned to. */
  readonly scalars: Iterable<string>;
  /** Whether the last value of an assigned name is an output; otherwise the name is a temporary. */
  readonly isOutput: (name: string) => boolean;
  /** Whether the host computes it, which has operations that backends lack (`**`, `f32`, `floor`). */
  readonly onHost: boolean;
  /** Names that errors do not suggest. */
  readonly unlisted?: readonly string[];
}

/**
 * Parses texts and resolves their names.
 *
 * @param sources texts that follow one another; a fault points at the line of its own text. Only the last text must use
 * everything that it assigns: a rule that sets `p` without reading it does not use the decay before it.
 * @throws {SyntaxFault} for a text that does not parse, an unknown name, an assignment to a scalar, a temporary that
 * nothing uses, and an operation of the host in a program of elements
 */
export function buildProgram(sources: readonly string[], scope: Scope): Program {
  const elements = new Set(scope.elements);
  const scalars = new Set(scope.scalars);
  const drafts: Omit<Node, "uses">[] = [];
  const known = new Map<string, number>();
  const current = new Map<string, number>();
  const read = new Set<string>();

  function add(draft: Omit<Node, "uses">): number {
    const key = `${draft.op} ${draft.operands.join(" ")} ${Object.is(draft.value, -0) ? "-0" : draft.value} ${draft.name}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, drafts.length);
    return drafts.push(draft) - 1;
  }

  function resolve(expression: Expression, source: string): number {
    if (expression.kind === "number") {
      return add({ op: "number", operands: [], value: expression.value, name: "", varies: false });
    }
    if (expression.kind === "name") {
      const { name } = expression;
      read.add(name);
      const assigned = current.get(name);
      if (assigned !== undefined) return assigned;
      if (!elements.has(name) && !scalars.has(name)) {
        const names = new Set([...elements, ...scalars, ...current.keys()]);
        for (const internal of scope.unlisted ?? []) names.delete(internal);
        throw new SyntaxFault("unknown name", source, expression.at, name, ...names);
      }
      return add({
        op: "input",
        operands: [],
        value: Number.NaN,
        name,
        varies: elements.has(name),
      });
    }
    if (isHostOp(expression.op) && !scope.onHost) {
      const written = expression.op === "pow" ? "**" : expression.op;
      throw new SyntaxFault("host operation", source, expression.at, written);
    }
    const operands = expression.operands.map((operand) => resolve(operand, source));
    const varies = operands.some((operand) => drafts[operand].varies);
    return add({ op: expression.op, operands, value: Number.NaN, name: "", varies });
  }

  const assignments = sources.flatMap((source) =>
    parse(source).map((assignment) => ({ ...assignment, source })),
  );
  for (const { name, value, at, source } of assignments) {
    if (scalars.has(name)) throw new SyntaxFault("assigned scalar", source, at, name);
    current.set(name, resolve(value, source));
  }
  for (const { name, at, source } of assignments) {
    if (source !== sources.at(-1)) continue;
    if (!scope.isOutput(name) && !elements.has(name) && !read.has(name))
      throw new SyntaxFault("unused name", source, at, name);
  }

  const outputs = [...current]
    .filter(([name]) => scope.isOutput(name))
    .map(([name, node]) => ({ name, node }));
  return prune(drafts, outputs, [...elements], sources.join("\n"));
}

/** Keeps the nodes that the outputs need, counts their uses and renumbers them. */
function prune(
  drafts: readonly Omit<Node, "uses">[],
  outputs: readonly Binding[],
  arrays: readonly string[],
  source: string,
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
  return { nodes, inputs, outputs: kept, source, fingerprint: fingerprint(nodes, kept, arrays) };
}

function fingerprint(
  nodes: readonly Node[],
  outputs: readonly Binding[],
  arrays: readonly string[],
): string {
  const text = JSON.stringify([
    nodes.map((n) => [n.op, n.operands, String(n.value), n.name, n.varies]),
    outputs,
    arrays,
  ]);
  return hash(text, 0x811c9dc5) + hash(text, 0x01000193);
}

/** 32-bit FNV-1a over UTF-16 code units, as 8 hexadecimal digits. */
function hash(text: string, seed: number): string {
  let h = seed;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, "0");
}
