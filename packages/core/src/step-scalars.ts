import { interpret } from "./interpret.js";
import { tapeOf, type Tape } from "./tape.js";
import type { Variant } from "./variant.js";

/** How often a hyperparameter of an optimizer was set. */
export interface Changes {
  count: number;
}

/** Which values go where: pairs of places, from and to. */
type Moves = Int32Array;

/**
 * The scalars of a step, from hyperparameters, the step number and the carry: computed on the host, in f64, into the
 * same memory each time. What follows from hyperparameters alone is computed when one of them was set.
 */
export class StepScalars {
  /** What a kernel receives, in the order of `variant.scalars`. */
  readonly values: Float64Array;
  readonly #hyperparameter: (name: string) => number;
  readonly #changes: Changes;
  /** How many changes `values` shows. */
  #seen = -1;
  /** A value for each node of `perStep`. */
  readonly #nodes: Float64Array;
  readonly #carry: Float64Array;
  readonly #carryNames: readonly string[];
  // Where each value comes from, looked up once and kept in few cache lines: a step is to cost less than a thousand
  // elements do, and comes when they have filled the cache.
  readonly #hyperparameters: readonly { readonly name: string; readonly node: number }[];
  readonly #stepNode: number;
  readonly #settled: Tape;
  readonly #settledMoves: Moves;
  readonly #live: Tape;
  readonly #liveMoves: Moves;
  readonly #carryIn: Moves;
  readonly #carryOut: Moves;

  /** @param changes counts what would make `hyperparameter` give another number. */
  constructor(variant: Variant, hyperparameter: (name: string) => number, changes: Changes) {
    const { perStep, scalars, carry } = variant;
    this.#hyperparameter = hyperparameter;
    this.#changes = changes;
    this.#carryNames = Object.keys(carry);
    this.#carry = Float64Array.from(Object.values(carry));
    const isLiveInput = (name: string): boolean => name === "t" || Object.hasOwn(carry, name);
    const isLive: boolean[] = [];
    for (const { op, name, operands } of perStep.nodes)
      isLive.push(op === "input" ? isLiveInput(name) : operands.some((node) => isLive[node]));
    this.#settled = tapeOf(perStep, (node) => !isLive[node]);
    this.#live = tapeOf(perStep, (node) => isLive[node]);

    const inputs = new Map(perStep.inputs.map(({ name, node }) => [name, node]));
    const outputs = new Map(perStep.outputs.map(({ name, node }) => [name, node]));
    // A scalar that perStep does not compute is a hyperparameter: it has a place after the nodes.
    const plain = scalars.filter((name) => !outputs.has(name));
    const place = (name: string): number =>
      outputs.get(name) ?? perStep.nodes.length + plain.indexOf(name);
    this.#hyperparameters = [
      ...perStep.inputs.filter(({ name }) => !isLiveInput(name)),
      ...plain.map((name) => ({ name, node: place(name) })),
    ];
    this.#nodes = new Float64Array(perStep.nodes.length + plain.length);
    this.values = new Float64Array(scalars.length);
    const moves = scalars.map((name, to) => [place(name), to]);
    this.#settledMoves = Int32Array.from(moves.filter(([from]) => !isLive[from]).flat());
    this.#liveMoves = Int32Array.from(moves.filter(([from]) => isLive[from]).flat());
    this.#stepNode = inputs.get("t") ?? -1;
    this.#carryIn = Int32Array.from(
      this.#carryNames.flatMap((name, i) => (inputs.has(name) ? [i, inputs.get(name)!] : [])),
    );
    this.#carryOut = Int32Array.from(
      this.#carryNames.flatMap((name, i) => (outputs.has(name) ? [outputs.get(name)!, i] : [])),
    );
  }

  /** Computes the scalars of step `t` (1 is the first). The carry stays as it is until `commit`. */
  compute(t: number): void {
    const nodes = this.#nodes;
    if (this.#seen !== this.#changes.count) {
      for (const { name, node } of this.#hyperparameters) nodes[node] = this.#hyperparameter(name);
      interpret(this.#settled, nodes, false);
      move(this.#settledMoves, nodes, this.values);
      this.#seen = this.#changes.count;
    }
    if (this.#stepNode >= 0) nodes[this.#stepNode] = t;
    move(this.#carryIn, this.#carry, nodes);
    interpret(this.#live, nodes, false);
    move(this.#liveMoves, nodes, this.values);
  }

  /** Hands the carry on: what `compute` found is where the next step begins. */
  commit(): void {
    move(this.#carryOut, this.#nodes, this.#carry);
  }

  /** The carry, by name. */
  get carry(): Record<string, number> {
    return Object.fromEntries(this.#carryNames.map((name, i) => [name, this.#carry[i]]));
  }

  set carry(carry: Readonly<Record<string, number>>) {
    this.#carryNames.forEach((name, i) => {
      this.#carry[i] = carry[name]!;
    });
  }
}

function move(moves: Moves, from: Float64Array, to: Float64Array): void {
  for (let i = 0; i < moves.length; i += 2) to[moves[i + 1]] = from[moves[i]];
}
