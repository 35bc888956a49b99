import type { Extent } from "./extent.js";
import type { PassGraph, Stores } from "./pass-graph.js";
import { isAfter, type PassPosition } from "./pass-position.js";
import type { Program } from "./program.js";

/**
 * Where each output of a program is stored, so that its passes read and write as little as possible. A slot may be stored
 * as soon as its value is known; later passes then read it, where they would otherwise compute the value again.
 */
export function placeStores(graph: PassGraph): Stores {
  const { levels } = graph;
  const { outputs } = graph.program;
  const lastLevel = Math.max(...outputs.map(({ node }) => levels[node]));
  const stores = new Map<string, PassPosition>();
  for (const { name } of outputs)
    stores.set(name, { level: lastLevel, over: graph.extentOf(name) });
  let best = trafficOf(graph, stores);
  for (const { name, node } of outputs) {
    const last = stores.get(name)!;
    let chosen = last;
    // An early store may pay off only together with that of another slot, so it is preferred where it costs nothing.
    for (let level = lastLevel - 1; level >= levels[node]; level -= 1) {
      const position = { level, over: last.over };
      stores.set(name, position);
      const traffic = trafficOf(graph, stores);
      if (traffic > best) continue;
      best = traffic;
      chosen = position;
    }
    stores.set(name, chosen);
  }
  return stores;
}

/** What passes read and write. Infinite if a pass would read a value that was replaced. */
function trafficOf(graph: PassGraph, stores: Stores): number {
  const { program } = graph;
  let traffic = 0;
  for (const position of graph.positions(stores)) {
    const { roots, reductions } = graph.rootsOf(position, stores);
    const needed = graph.needed(roots, position, stores);
    for (const [name, extent] of inputsOf(program, needed)) {
      const store = stores.get(name);
      const isReplaced = store !== undefined && isAfter(position, store);
      if (isReplaced && needsValueBefore(program, name, needed)) return Infinity;
      traffic += weightOf(extent);
    }
    const stored = roots.filter(({ name }) => reductions.every((one) => one.name !== name));
    traffic += stored.length * weightOf(position.over);
  }
  return traffic;
}

/** The traffic of an array of this extent. */
function weightOf(extent: Extent): number {
  if (extent === "element") return 1000;
  return extent === "row" || extent === "column" ? 1 : 0;
}

/** The arrays and scalars that a pass with these nodes reads. */
function inputsOf(
  { nodes }: Program,
  needed: ReadonlyMap<number, string>,
): ReadonlyMap<string, Extent> {
  const inputs = new Map<string, Extent>();
  for (const [node, stored] of needed) {
    const { op, name, extent } = nodes[node];
    if (stored !== "") inputs.set(stored, extent);
    else if (op === "input") inputs.set(name, extent);
  }
  return inputs;
}

/** Whether an input stands for the value that it had before the step, not for one that a pass has stored. */
function needsValueBefore(
  { inputs }: Program,
  name: string,
  needed: ReadonlyMap<number, string>,
): boolean {
  const before = inputs.find((input) => input.name === name)?.node;
  return before !== undefined && needed.has(before);
}
