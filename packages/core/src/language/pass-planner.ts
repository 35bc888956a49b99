import { isTensorOp } from "./expression.js";
import type { Extent } from "./extent.js";
import { singlePass } from "./language.js";
import type { ReducedExtent } from "./parse.js";
import type { Count, MapPass, MatrixPass, Pass, PassPlan, Reduction, Temporary } from "./passes.js";
import { prune, type Binding, type Draft, type Program } from "./program.js";
import { reductionKey } from "./reduction-key.js";

/** The order of passes between two reductions: what has more values comes first. */
const order = ["element", "row", "column", "tensor", "all"] as const;

/** Where a pass stands: after as many reductions as its level says. */
interface Place {
  readonly level: number;
  readonly over: (typeof order)[number];
}

/** The traffic of an array of this extent. */
function weightOf(extent: Extent): number {
  if (extent === "element") return 1000;
  return extent === "row" || extent === "column" ? 1 : 0;
}

function isAfter(a: Place, b: Place): boolean {
  return (
    a.level > b.level || (a.level === b.level && order.indexOf(a.over) > order.indexOf(b.over))
  );
}

/**
 * Cuts a program into passes, at its reductions. A program without any is one pass, unchanged.
 *
 * A slot may be stored as soon as its value is known; later passes then read it, where they would otherwise compute the
 * value again from what it was made of. The stores are placed so that passes over elements read and write as little as
 * possible.
 *
 * @param arrays the arrays of the program with their extents, `p` and `g` included
 */
export function planPasses(program: Program, arrays: ReadonlyMap<string, Extent>): PassPlan {
  const isElementwise =
    !program.nodes.some(({ op }) => isTensorOp(op)) &&
    [...arrays.values()].every((extent) => extent === "element");
  if (isElementwise) return singlePass(program);
  return new PassPlanner(program, arrays).passPlan();
}

class PassPlanner {
  readonly #program: Program;
  readonly #arrays: ReadonlyMap<string, Extent>;
  /** Per node: the number of reductions that it waits for, one after the other. */
  readonly #levels: number[] = [];
  /** The temporary or count that holds a node's value. */
  readonly #held = new Map<number, string>();
  readonly #temporaries: Temporary[] = [];
  readonly #counts: Count[] = [];
  readonly #lastLevel: number;

  constructor(program: Program, arrays: ReadonlyMap<string, Extent>) {
    this.#program = program;
    this.#arrays = arrays;
    program.nodes.forEach((node, i) => {
      const { op, operands, extent, name } = node;
      const below = Math.max(0, ...operands.map((operand) => this.#levels[operand]));
      this.#levels.push(isTensorOp(op) && op !== "count" ? below + 1 : below);
      if (!isTensorOp(op)) return;
      const inPlace = op === "newtonSchulz" ? this.#replaceableOperand(operands[0]) : undefined;
      const held = inPlace ?? `@${op}${this.#held.size}`;
      this.#held.set(i, held);
      if (op === "count")
        this.#counts.push({ name: held, of: name as Extent, per: extent as ReducedExtent });
      else {
        const key = extent === "all" ? reductionKey(program.nodes, i) : undefined;
        const temporary = { name: held, extent: extent as Temporary["extent"] };
        this.#addTemporary(key === undefined ? temporary : { ...temporary, key });
      }
    });
    this.#lastLevel = Math.max(...program.outputs.map(({ node }) => this.#levels[node]));
  }

  passPlan(): PassPlan {
    const stores = this.#placeStores();
    const passes: { readonly place: Place; readonly pass: Pass }[] = [];
    for (const place of this.#places(stores)) {
      const pass = this.#mapPass(place, stores);
      if (pass !== undefined) passes.push({ place, pass });
    }
    this.#program.nodes.forEach((node, i) => {
      if (node.op === "newtonSchulz")
        passes.push({
          place: { level: this.#levels[i], over: "element" },
          pass: this.#matrixPass(i),
        });
    });
    // The results of a level exist before its passes over elements.
    passes.sort(
      (a, b) =>
        a.place.level - b.place.level ||
        Number(a.pass.kind === "map") - Number(b.pass.kind === "map") ||
        order.indexOf(a.place.over) - order.indexOf(b.place.over),
    );
    return {
      passes: passes.map(({ pass }) => pass),
      temporaries: this.#temporaries,
      counts: this.#counts,
    };
  }

  /** Where each output is stored, for as little traffic as possible. */
  #placeStores(): ReadonlyMap<string, Place> {
    const stores = new Map<string, Place>();
    const { outputs } = this.#program;
    for (const { name } of outputs)
      stores.set(name, { level: this.#lastLevel, over: this.#extentOf(name) });
    let best = this.#traffic(stores);
    for (const { name, node } of outputs) {
      const last = stores.get(name)!;
      let chosen = last;
      // An early store may pay off only together with that of another slot, so it is preferred where it costs nothing.
      for (let level = this.#lastLevel - 1; level >= this.#levels[node]; level -= 1) {
        const place = { level, over: last.over };
        stores.set(name, place);
        const traffic = this.#traffic(stores);
        if (traffic > best) continue;
        best = traffic;
        chosen = place;
      }
      stores.set(name, chosen);
    }
    return stores;
  }

  /** What passes read and write. Infinite if a pass would read a value that was replaced. */
  #traffic(stores: ReadonlyMap<string, Place>): number {
    let traffic = 0;
    for (const place of this.#places(stores)) {
      const { roots, reductions } = this.#rootsOf(place, stores);
      const needed = this.#needed(roots, place, stores);
      for (const [name, extent] of this.#inputsOf(needed)) {
        const store = stores.get(name);
        const isReplaced = store !== undefined && isAfter(place, store);
        if (isReplaced && this.#needsValueBefore(name, needed)) return Infinity;
        traffic += weightOf(extent);
      }
      const stored = roots.filter(({ name }) => reductions.every((one) => one.name !== name));
      traffic += stored.length * weightOf(place.over);
    }
    return traffic;
  }

  /** The arrays and scalars that a pass with these nodes reads. */
  #inputsOf(needed: ReadonlyMap<number, string>): ReadonlyMap<string, Extent> {
    const inputs = new Map<string, Extent>();
    for (const [node, stored] of needed) {
      const { op, name, extent } = this.#program.nodes[node];
      if (stored !== "") inputs.set(stored, extent);
      else if (op === "input") inputs.set(name, extent);
    }
    return inputs;
  }

  /** Whether an input stands for the value that it had before the step, not for one that a pass has stored. */
  #needsValueBefore(name: string, needed: ReadonlyMap<number, string>): boolean {
    const before = this.#program.inputs.find((input) => input.name === name)?.node;
    return before !== undefined && needed.has(before);
  }

  /** All places where something is computed, in order. */
  #places(stores: ReadonlyMap<string, Place>): readonly Place[] {
    const places = new Map<string, Place>();
    const add = (place: Place): void => {
      places.set(`${place.level} ${place.over}`, place);
    };
    for (const place of stores.values()) add(place);
    for (const { op, operands } of this.#program.nodes) {
      if (!isTensorOp(op) || op === "count") continue;
      const [operand] = operands;
      add({
        level: this.#levels[operand],
        over: this.#program.nodes[operand].extent as Place["over"],
      });
    }
    return [...places.values()].sort((a, b) => (isAfter(a, b) ? 1 : -1));
  }

  /** What a pass computes: the stores and the operands of reductions at its place. */
  #rootsOf(
    place: Place,
    stores: ReadonlyMap<string, Place>,
  ): { readonly roots: readonly Binding[]; readonly reductions: readonly Reduction[] } {
    const roots: Binding[] = [];
    const reductions: Reduction[] = [];
    for (const { name, node } of this.#program.outputs) {
      const store = stores.get(name)!;
      if (store.level === place.level && store.over === place.over) roots.push({ name, node });
    }
    this.#program.nodes.forEach(({ op, operands, extent }, i) => {
      const [operand] = operands;
      const isHere =
        isTensorOp(op) &&
        op !== "count" &&
        this.#levels[operand] === place.level &&
        this.#program.nodes[operand].extent === place.over;
      if (!isHere) return;
      if (op === "newtonSchulz") {
        const name = this.#operandOf(i);
        // The result of one iteration is the operand of the next.
        if (!this.#held.has(operand) && roots.every((root) => root.name !== name))
          roots.push({ name, node: operand });
        return;
      }
      const name = this.#held.get(i)!;
      roots.push({ name, node: operand });
      reductions.push({ name, op, over: extent as ReducedExtent });
    });
    return { roots, reductions };
  }

  #mapPass(place: Place, stores: ReadonlyMap<string, Place>): MapPass | undefined {
    const { roots, reductions } = this.#rootsOf(place, stores);
    if (roots.length === 0) return undefined;
    const { nodes, source } = this.#program;
    const needed = this.#needed(roots, place, stores);
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
    const program = prune(drafts, outputs, this.#arrays, source);
    return { kind: "map", level: place.level, over: place.over, program, reductions };
  }

  /** The nodes that a pass computes or reads; the name of the array for those that it reads in place of computing them. */
  #needed(
    roots: readonly Binding[],
    place: Place,
    stores: ReadonlyMap<string, Place>,
  ): ReadonlyMap<number, string> {
    const { nodes } = this.#program;
    const storedAs = this.#storedBefore(place, stores);
    const needed = new Map<number, string>();
    const visit = (node: number): void => {
      if (needed.has(node)) return;
      const array = this.#held.get(node) ?? storedAs.get(node) ?? "";
      needed.set(node, array);
      if (array === "") for (const operand of nodes[node].operands) visit(operand);
    };
    for (const { node } of roots) visit(node);
    return needed;
  }

  /** Nodes whose value a slot holds since an earlier pass. */
  #storedBefore(place: Place, stores: ReadonlyMap<string, Place>): ReadonlyMap<number, string> {
    const storedAs = new Map<number, string>();
    for (const { name, node } of this.#program.outputs) {
      const { op, extent } = this.#program.nodes[node];
      const isComputed = op !== "input" && op !== "number";
      if (isComputed && extent === this.#extentOf(name) && isAfter(place, stores.get(name)!))
        storedAs.set(node, name);
    }
    return storedAs;
  }

  #matrixPass(node: number): MatrixPass {
    const { nodes } = this.#program;
    const [, ...coefficients] = nodes[node].operands;
    return {
      kind: "newtonSchulz",
      level: this.#levels[node],
      from: this.#operandOf(node),
      to: this.#held.get(node)!,
      coefficients: coefficients.map((one) => {
        const { op, operands, value, name } = nodes[one];
        if (op === "neg") return -nodes[operands[0]].value;
        return op === "number" ? value : name;
      }),
    };
  }

  /** The temporary that holds the operand of a matrix pass. */
  #operandOf(node: number): string {
    const [operand] = this.#program.nodes[node].operands;
    const held = this.#held.get(operand);
    if (held !== undefined) return held;
    const name = `@operand${operand}`;
    this.#addTemporary({ name, extent: "element" });
    return name;
  }

  /** The temporary that holds an operand, if nothing else reads it: then the result of a matrix pass takes its place. */
  #replaceableOperand(operand: number): string | undefined {
    const { nodes } = this.#program;
    const held = this.#held.get(operand);
    if (held !== undefined) return nodes[operand].uses === 1 ? held : undefined;
    const users = nodes.filter(
      ({ op, operands }) => op === "newtonSchulz" && operands[0] === operand,
    );
    return users.length === 1 ? `@operand${operand}` : undefined;
  }

  #addTemporary(temporary: Temporary): void {
    if (this.#temporaries.every(({ name }) => name !== temporary.name))
      this.#temporaries.push(temporary);
  }

  #extentOf(name: string): Place["over"] {
    return this.#arrays.get(name) as Place["over"];
  }
}
