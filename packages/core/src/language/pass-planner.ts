import { isTensorOp } from "./expression.js";
import type { Extent } from "./extent.js";
import { singlePass } from "./language.js";
import { PassGraph, type Stores } from "./pass-graph.js";
import { compareExtents, type PassPosition } from "./pass-position.js";
import type { MapPass, MatrixPass, Pass, PassPlan } from "./passes.js";
import { prune, type Draft, type Program } from "./program.js";
import { placeStores } from "./store-placement.js";

/**
 * Cuts a program into passes, at its reductions. A program without any is one pass, unchanged.
 *
 * @param arrays the arrays of the program with their extents, `p` and `g` included
 */
export function planPasses(program: Program, arrays: ReadonlyMap<string, Extent>): PassPlan {
  const isElementwise =
    !program.nodes.some(({ op }) => isTensorOp(op)) &&
    [...arrays.values()].every((extent) => extent === "element");
  if (isElementwise) return singlePass(program);
  const graph = new PassGraph(program, arrays);
  const stores = placeStores(graph);
  const passes: { readonly position: PassPosition; readonly pass: Pass }[] = [];
  for (const position of graph.positions(stores)) {
    const pass = mapPass(graph, position, stores);
    if (pass !== undefined) passes.push({ position, pass });
  }
  program.nodes.forEach(({ op }, i) => {
    if (op !== "newtonSchulz") return;
    const position = { level: graph.levels[i], over: "element" } as const;
    passes.push({ position, pass: matrixPass(graph, i) });
  });
  // The results of a level exist before its passes over elements.
  passes.sort(
    (a, b) =>
      a.position.level - b.position.level ||
      Number(a.pass.kind === "map") - Number(b.pass.kind === "map") ||
      compareExtents(a.position.over, b.position.over),
  );
  const { temporaries, counts } = graph;
  return { passes: passes.map(({ pass }) => pass), temporaries, counts };
}

function mapPass(graph: PassGraph, position: PassPosition, stores: Stores): MapPass | undefined {
  const { roots, reductions } = graph.rootsOf(position, stores);
  if (roots.length === 0) return undefined;
  const { nodes, source } = graph.program;
  const needed = graph.needed(roots, position, stores);
  const drafts: Draft[] = [];
  const renumbered = new Map<number, number>();
  /** Inputs by name: the old value of a slot, or a stored one. */
  const inputs = new Map<string, number>();
  nodes.forEach((node, i) => {
    const stored = needed.get(i);
    if (stored === undefined) return;
    const isInput = stored !== "" || node.op === "input";
    const name = stored === "" ? node.name : stored;
    const known = isInput ? inputs.get(name) : undefined;
    if (known !== undefined) {
      renumbered.set(i, known);
      return;
    }
    renumbered.set(i, drafts.length);
    if (isInput) inputs.set(name, drafts.length);
    drafts.push(
      isInput
        ? { ...node, op: "input", operands: [], value: Number.NaN, name }
        : { ...node, operands: node.operands.map((operand) => renumbered.get(operand)!) },
    );
  });
  const outputs = roots.map(({ name, node }) => ({ name, node: renumbered.get(node)! }));
  const program = prune(drafts, { outputs, source, arrays: graph.arrays });
  return { kind: "map", level: position.level, over: position.over, program, reductions };
}

function matrixPass(graph: PassGraph, node: number): MatrixPass {
  const { nodes } = graph.program;
  const [, ...coefficients] = nodes[node].operands;
  return {
    kind: "newtonSchulz",
    level: graph.levels[node],
    from: graph.operandOf(node),
    to: graph.resultOf(node),
    coefficients: coefficients.map((one) => {
      const { op, operands, value, name } = nodes[one];
      if (op === "neg") return -nodes[operands[0]].value;
      return op === "number" ? value : name;
    }),
  };
}
