import { isTensorOp } from "./expression.js";
import type { Extent, ReducedExtent } from "./extent.js";
import { isAfter, type PassPosition } from "./pass-position.js";
import type { Count, Reduction, Temporary } from "./passes.js";
import type { Binding, Program } from "./program.js";
import { reductionKey } from "./reduction-key.js";

/** Where each output of a program is stored. */
export type Stores = ReadonlyMap<string, PassPosition>;

/** A program, with the reductions that separate its passes, and what they hand on. */
export class PassGraph {
  readonly program: Program;
  readonly arrays: ReadonlyMap<string, Extent>;
  readonly temporaries: Temporary[] = [];
  readonly counts: Count[] = [];
  /** Per node: the number of reductions that it waits for, one after the other. */
  readonly levels: readonly number[];
  /** The temporary or count that holds a node's value. */
  readonly #held = new Map<number, string>();

  /** @param arrays the arrays of the program with their extents, `p` and `g` included */
  constructor(program: Program, arrays: ReadonlyMap<string, Extent>) {
    this.program = program;
    this.arrays = arrays;
    this.levels = levelsOf(program);
    program.nodes.forEach(({ op }, i) => {
      if (isTensorOp(op)) this.#hold(i);
    });
    program.nodes.forEach(({ op }, i) => {
      if (op === "newtonSchulz") this.#addTemporary({ name: this.operandOf(i), extent: "element" });
    });
  }

  /** The extent of an output. */
  extentOf(name: string): PassPosition["over"] {
    return this.arrays.get(name) as PassPosition["over"];
  }

  /** The temporary or count that holds the result of an operation on tensors. */
  resultOf(node: number): string {
    return this.#held.get(node)!;
  }

  /** The temporary that holds the operand of a matrix pass. */
  operandOf(node: number): string {
    const [operand] = this.program.nodes[node].operands;
    return this.#held.get(operand) ?? `@operand${operand}`;
  }

  /** All positions where something is computed, in order. */
  positions(stores: Stores): readonly PassPosition[] {
    const positions = new Map<string, PassPosition>();
    const add = (position: PassPosition): void => {
      positions.set(`${position.level} ${position.over}`, position);
    };
    for (const position of stores.values()) add(position);
    for (const { op, operands } of this.program.nodes)
      if (isTensorOp(op) && op !== "count") add(this.#positionOf(operands[0]));
    return [...positions.values()].sort((a, b) => (isAfter(a, b) ? 1 : -1));
  }

  /** What a pass computes: the stores and the operands of reductions at its position. */
  rootsOf(
    position: PassPosition,
    stores: Stores,
  ): { readonly roots: readonly Binding[]; readonly reductions: readonly Reduction[] } {
    const roots: Binding[] = [];
    const reductions: Reduction[] = [];
    for (const { name, node } of this.program.outputs)
      if (isSame(stores.get(name)!, position)) roots.push({ name, node });
    this.program.nodes.forEach(({ op, operands: [operand], extent }, i) => {
      if (!isTensorOp(op) || op === "count" || !isSame(this.#positionOf(operand), position)) return;
      if (op === "newtonSchulz") {
        const name = this.operandOf(i);
        // The result of one iteration is the operand of the next.
        if (!this.#held.has(operand) && roots.every((root) => root.name !== name))
          roots.push({ name, node: operand });
        return;
      }
      const name = this.resultOf(i);
      roots.push({ name, node: operand });
      reductions.push({ name, op, over: extent as ReducedExtent });
    });
    return { roots, reductions };
  }

  /** The nodes that a pass computes or reads; the name of the array for those that it reads in place of computing them. */
  needed(
    roots: readonly Binding[],
    position: PassPosition,
    stores: Stores,
  ): ReadonlyMap<number, string> {
    const { nodes } = this.program;
    const storedAs = this.#storedBefore(position, stores);
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
  #storedBefore(position: PassPosition, stores: Stores): ReadonlyMap<number, string> {
    const storedAs = new Map<number, string>();
    for (const { name, node } of this.program.outputs) {
      const { op, extent } = this.program.nodes[node];
      const isComputed = op !== "input" && op !== "number";
      if (isComputed && extent === this.extentOf(name) && isAfter(position, stores.get(name)!))
        storedAs.set(node, name);
    }
    return storedAs;
  }

  /** Where the operand of a reduction is computed. */
  #positionOf(operand: number): PassPosition {
    return {
      level: this.levels[operand],
      over: this.program.nodes[operand].extent as PassPosition["over"],
    };
  }

  #hold(node: number): void {
    const { nodes } = this.program;
    const { op, operands, extent, name } = nodes[node];
    const inPlace = op === "newtonSchulz" ? this.#replaceableOperand(operands[0]) : undefined;
    const held = inPlace ?? `@${op}${this.#held.size}`;
    this.#held.set(node, held);
    if (op === "count") {
      this.counts.push({ name: held, of: name as Extent, per: extent as Count["per"] });
      return;
    }
    const key = extent === "all" ? reductionKey(nodes, node) : undefined;
    const temporary = { name: held, extent: extent as Temporary["extent"] };
    this.#addTemporary(key === undefined ? temporary : { ...temporary, key });
  }

  /** The temporary that holds an operand, if nothing else reads it: then the result of a matrix pass takes its place. */
  #replaceableOperand(operand: number): string | undefined {
    const { nodes } = this.program;
    const held = this.#held.get(operand);
    if (held !== undefined) return nodes[operand].uses === 1 ? held : undefined;
    const users = nodes.filter(
      ({ op, operands }) => op === "newtonSchulz" && operands[0] === operand,
    );
    return users.length === 1 ? `@operand${operand}` : undefined;
  }

  #addTemporary(temporary: Temporary): void {
    if (this.temporaries.every(({ name }) => name !== temporary.name))
      this.temporaries.push(temporary);
  }
}

function levelsOf({ nodes }: Program): readonly number[] {
  const levels: number[] = [];
  for (const { op, operands } of nodes) {
    const below = Math.max(0, ...operands.map((operand) => levels[operand]));
    levels.push(isTensorOp(op) && op !== "count" ? below + 1 : below);
  }
  return levels;
}

function isSame(a: PassPosition, b: PassPosition): boolean {
  return a.level === b.level && a.over === b.over;
}
