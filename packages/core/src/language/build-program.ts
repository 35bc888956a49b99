import { isHostOp, type Assignment, type Expression, type TensorExpression } from "./expression.js";
import { joined, varies, type Extent } from "./extent.js";
import { parse } from "./parse.js";
import { prune, type Binding, type Draft, type Node, type Program } from "./program.js";
import { SyntaxFault } from "./syntax-fault.js";

/** A text, with what its names are in the program. */
export interface Source {
  readonly text: string;
  /** True for statements that all rules have besides their own, which may assign what nothing uses. */
  readonly isCommon?: boolean;
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
 * nothing uses, an operation of the host in an elementwise program, a reduction of what has too few values, and a value
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
  return prune(drafts, { outputs, source, arrays: scope.arrays, matrices: scope.matrices });
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
    if (source.isCommon === true) continue;
    if (!scope.isOutput(name) && !arrays.has(name) && !read.has(name))
      throw new SyntaxFault("unused name", source.text, assignment.at, assignment.name);
  }
  return { drafts, statements };
}
