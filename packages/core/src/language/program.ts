import {
  isHostOp,
  type Assignment,
  type Expression,
  type Op,
  type TensorExpression,
  type TensorOp,
} from "./expression.js";
import { joined, varies, type Extent } from "./extent.js";
import { parse } from "./parse.js";
import { SyntaxFault } from "./syntax-fault.js";

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

/** A text, with what its names are in the program. */
export interface Source {
  readonly text: string;
  /** True for statements around a rule's own, which may assign what nothing uses. */
  readonly isFrame?: boolean;
  /** The name in the program for a name in the text; the same if left out. */
  readonly rename?: (name: string) => string;
}

/** What the names in a text mean. */
export interface Scope {
  /** Names of arrays with their extents, in the order in which a kernel receives them. */
  readonly arrays: ReadonlyMap<string, Extent>;
  /** Names with a single value, which the host computes. They cannot be assigned to. */
  readonly scalars: Iterable<string>;
  /** Whether the last value of an assigned name is an output; otherwise the name is a temporary. */
  readonly isOutput: (name: string) => boolean;
  /** Whether the host computes it, which has operations that backends lack (`**`, `f32`, `floor`). */
  readonly onHost: boolean;
  /** Names that errors do not suggest. */
  readonly unlisted?: readonly string[];
  /** What rows and columns are: part of the fingerprint of a program in which they occur. */
  readonly matrices?: string;
}

/** A node that is not yet counted. */
export type Draft = Omit<Node, "uses">;

/** A graph while its expressions are resolved. */
export interface GraphBuilder {
  readonly drafts: readonly Draft[];
  /** Adds a node, or finds an equal one; returns its index. */
  readonly add: (
    op: Node["op"],
    operands: readonly number[],
    extent: Extent,
    rest?: Partial<Draft>,
  ) => number;
  /** Adds an operation whose operands broadcast. */
  readonly operation: (op: Node["op"], ...operands: number[]) => number;
  readonly resolve: (expression: Expression, source: Source) => number;
}

/** Adds the nodes of an operation on tensors; returns the index of its result. @throws {SyntaxFault} */
export type TensorResolver = (
  expression: TensorExpression,
  source: Source,
  graph: GraphBuilder,
) => number;

/** Names with a value per tensor, where a rule has no others under these names: the numbers of its rows and columns. */
const counts: ReadonlyMap<string, Extent> = new Map([
  ["rows", "row"],
  ["columns", "column"],
]);

/**
 * Parses texts and resolves their names.
 *
 * @param sources texts that follow one another; a fault points at the line of its own text
 * @param resolveTensorOperation without it, a text cannot have operations on tensors
 * @throws {SyntaxFault} for a text that does not parse, an unknown name, an assignment to a scalar, a temporary that
 * nothing uses, an operation of the host in a program of elements, a reduction of what has too few values, and a value
 * with more values than the slot that it is assigned to
 */
export function buildProgram(
  sources: readonly Source[],
  scope: Scope,
  resolveTensorOperation?: TensorResolver,
): Program {
  const { drafts, statements } = resolveStatements(sources, scope, resolveTensorOperation);
  const assigned = new Map(statements.map(({ name, node }) => [name, node]));
  const outputs = [...assigned]
    .filter(([name]) => scope.isOutput(name))
    .map(([name, node]) => ({ name, node }));
  const source = sources.map(({ text }) => text).join("\n");
  return prune(drafts, outputs, scope.arrays, source, scope.matrices);
}

/** A statement of a text, with the node of its value. */
export interface Statement extends Binding {
  readonly source: Source;
  readonly assignment: Assignment;
}

/** The nodes and statements of texts, in order. As `buildProgram`, with what the outputs do not need. */
export function resolveStatements(
  sources: readonly Source[],
  scope: Scope,
  resolveTensorOperation?: TensorResolver,
): { readonly drafts: readonly Draft[]; readonly statements: readonly Statement[] } {
  const { arrays } = scope;
  const scalars = new Set(scope.scalars);
  const drafts: Draft[] = [];
  const known = new Map<string, number>();
  const current = new Map<string, number>();
  const read = new Set<string>();

  function add(
    op: Node["op"],
    operands: readonly number[],
    extent: Extent,
    rest: Partial<Draft> = {},
  ): number {
    const { value = Number.NaN, name = "" } = rest;
    const key = `${op} ${operands.join(" ")} ${Object.is(value, -0) ? "-0" : value} ${name} ${extent}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    known.set(key, drafts.length);
    return drafts.push({ op, operands, value, name, extent, varies: varies(extent) }) - 1;
  }
  const operation = (op: Node["op"], ...operands: number[]): number =>
    add(op, operands, operands.map((operand) => drafts[operand].extent).reduce(joined));

  function resolveName(
    { name: written, at }: Expression & { kind: "name" },
    source: Source,
  ): number {
    const name = source.rename?.(written) ?? written;
    read.add(name);
    const assigned = current.get(name);
    if (assigned !== undefined) return assigned;
    const counted = counts.get(name);
    if (counted !== undefined && !scope.onHost && !arrays.has(name) && !scalars.has(name))
      return add("count", [], "tensor", { name: counted });
    if (!arrays.has(name) && !scalars.has(name)) {
      const names = new Set([...arrays.keys(), ...scalars, ...current.keys()]);
      for (const internal of scope.unlisted ?? []) names.delete(internal);
      throw new SyntaxFault("unknown name", source.text, at, written, ...names);
    }
    return add("input", [], arrays.get(name) ?? "step", { name });
  }

  function resolve(expression: Expression, source: Source): number {
    const { text } = source;
    if (expression.kind === "number") return add("number", [], "step", { value: expression.value });
    if (expression.kind === "name") return resolveName(expression, source);
    if (expression.kind !== "operation") {
      if (resolveTensorOperation === undefined || scope.onHost)
        throw new SyntaxFault("reduction on the host", text, expression.at, expression.name);
      return resolveTensorOperation(expression, source, graph);
    }
    if (isHostOp(expression.op) && !scope.onHost) {
      const written = expression.op === "pow" ? "**" : expression.op;
      throw new SyntaxFault("host operation", text, expression.at, written);
    }
    return operation(
      expression.op,
      ...expression.operands.map((operand) => resolve(operand, source)),
    );
  }

  const graph: GraphBuilder = { drafts, add, operation, resolve };
  const assignments = sources.flatMap((source) =>
    parse(source.text).map((assignment) => ({
      name: source.rename?.(assignment.name) ?? assignment.name,
      source,
      assignment,
    })),
  );
  const statements = assignments.map((one): Statement => {
    const { name, source, assignment } = one;
    const { name: written, value, at } = assignment;
    if (scalars.has(name)) throw new SyntaxFault("assigned scalar", source.text, at, written);
    const node = resolve(value, source);
    const extent = scope.isOutput(name) ? arrays.get(name) : undefined;
    if (extent !== undefined && joined(extent, drafts[node].extent) !== extent)
      throw new SyntaxFault(
        "too many values",
        source.text,
        at,
        written,
        extent,
        drafts[node].extent,
      );
    current.set(name, node);
    return { ...one, node };
  });
  for (const { name, source, assignment } of statements) {
    if (source.isFrame === true) continue;
    if (!scope.isOutput(name) && !arrays.has(name) && !read.has(name))
      throw new SyntaxFault("unused name", source.text, assignment.at, assignment.name);
  }
  return { drafts, statements };
}

/** Keeps the nodes that the outputs need, counts their uses and renumbers them. */
export function prune(
  drafts: readonly Omit<Node, "uses">[],
  outputs: readonly Binding[],
  arrays: ReadonlyMap<string, Extent>,
  source: string,
  matrices?: string,
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
export function withOutputs({ nodes, source }: Program, outputs: readonly Binding[]): Program {
  return prune(nodes, outputs, new Map(), source);
}

/** Extents are part of it only where a program has others than that of the step and of elements. */
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

/** A hash of a text as 16 hexadecimal digits. */
export function digest(text: string): string {
  return hash(text, 0x811c9dc5) + hash(text, 0x01000193);
}

/** 32-bit FNV-1a over UTF-16 code units, as 8 hexadecimal digits. */
function hash(text: string, seed: number): string {
  let h = seed;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, "0");
}
