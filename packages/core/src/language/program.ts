import { GradstepError, list } from "../errors.js";
import { isHostOp, type Expression, type Op } from "./expression.js";
import { parse, syntaxError } from "./parse.js";

/** One value of a program: a number, an input, or an operation on earlier nodes (by index). */
export interface Node {
  readonly op: Op | "number" | "input";
  /** Indices into `Program.nodes`, each smaller than the node's own. */
  readonly operands: readonly number[];
  /** The value of a `number`; NaN otherwise. */
  readonly value: number;
  /** The name of an `input`; empty otherwise. */
  readonly name: string;
  /** False where the value is the same for every element: a backend computes it once, before its loop. */
  readonly varies: boolean;
  /** How many operands and outputs refer to this node. */
  readonly uses: number;
}

/** A name and the node that holds its value. */
export interface Binding {
  readonly name: string;
  readonly node: number;
}

/**
 * A rule's text as a graph: every sub-expression once, operands before their users, nothing that no output needs.
 */
export interface Program {
  readonly nodes: readonly Node[];
  /** Inputs that the program reads, in order of first use. */
  readonly inputs: readonly Binding[];
  /** Final values of the assigned names that outlive the program, in the order of their first assignment. */
  readonly outputs: readonly Binding[];
  /** The text it was made from. */
  readonly source: string;
  /**
   * 16 hexadecimal digits of what it computes and of the order of its arrays: programs with equal fingerprints can
   * share a kernel, whatever their text.
   */
  readonly fingerprint: string;
}

/** What the names in a text stand for. */
export interface Scope {
  /** Names with one value for each element, in the order in which a kernel receives their arrays. */
  readonly elements: Iterable<string>;
  /** Names with one value for all elements. They cannot be assigned to. */
  readonly scalars: Iterable<string>;
  /** Assigned names whose last value is an output; other assigned names are temporaries. */
  readonly isOutput: (name: string) => boolean;
  /** Whether it is computed by the host, which has operations that backends lack (`**`, `f32`). */
  readonly onHost: boolean;
}

/**
 * Parses texts and resolves their names.
 *
 * @param sources they follow one another; an error points at the line of its own text. What those before the last
 * assign may go unused: a rule that sets `p` without reading it has no use for the decay that stands before it.
 * @throws {GradstepError} `RULE_SYNTAX`: a text that does not parse, an unknown name, an assignment to a scalar, a
 * temporary that nothing uses, or an operation of the host where there is none.
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
        const names = list([...elements, ...scalars, ...current.keys()]);
        throw syntaxError(
          source,
          expression.at,
          `"${name}" has no value here; known names: ${names}`,
        );
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
      throw syntaxError(
        source,
        expression.at,
        `“${written}” is for scalars: compute it in perStep and use its name here`,
      );
    }
    const operands = expression.operands.map((operand) => resolve(operand, source));
    const varies = operands.some((operand) => drafts[operand].varies);
    return add({ op: expression.op, operands, value: Number.NaN, name: "", varies });
  }

  const assignments = sources.flatMap((source) =>
    parse(source).map((assignment) => ({ ...assignment, source })),
  );
  for (const { name, value, at, source } of assignments) {
    if (scalars.has(name))
      throw syntaxError(source, at, `"${name}" is a scalar and cannot be assigned to here`);
    current.set(name, resolve(value, source));
  }
  for (const { name, at, source } of assignments) {
    if (source !== sources.at(-1)) continue;
    if (!scope.isOutput(name) && !elements.has(name) && !read.has(name)) {
      throw syntaxError(source, at, `"${name}" is assigned and never used`);
    }
  }

  const outputs = [...current]
    .filter(([name]) => scope.isOutput(name))
    .map(([name, node]) => ({ name, node }));
  return prune(drafts, outputs, [...elements], sources.join("\n"));
}

/** Keeps what the outputs need, counts uses and renumbers. */
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

/** The node index of an input, or of an output; the program must have it. */
export function nodeOf(bindings: readonly Binding[], name: string): number {
  const found = bindings.find((binding) => binding.name === name);
  if (found === undefined)
    throw new GradstepError(`The program has no "${name}"`, { code: "INVALID_RULE" });
  return found.node;
}
