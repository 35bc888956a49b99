import { interpret } from "../language/interpret.js";
import { bytecodeOf, type Bytecode } from "../language/bytecode.js";
import type { Variant } from "../rule/variant.js";

/** How often a hyperparameter of an optimizer was set. */
export interface Changes {
  count: number;
}

/** Which values go where: pairs of places, from and to. */
type Moves = Int32Array;

/** The most steps whose scalars are computed at once. */
const mostAhead = 16;

/**
 * The scalars of a step, from hyperparameters, the step number and the persistentScalars: computed on the host, in f64, into the
 * same memory each time.
 *
 * A step comes when the elements of the last one have filled the caches: what takes 0.2 µs in a row takes 1 to 10 µs
 * there. So what follows from hyperparameters alone is computed when one of them was set, and where nothing is set and
 * nothing carried, the scalars of some steps to come are computed with those of this one.
 */
export class StepScalars {
  // In front what every step looks at, in as few cache lines as that takes.
  /** What a kernel receives, in the order of `variant.scalars`. */
  readonly values: Float64Array;
  /** The same for `#known` steps from `#first` on, a row for each. */
  readonly #ahead: Float64Array;
  #first = 0;
  #known = 0;
  readonly #hasPersistent: boolean;
  readonly #changes: Changes;
  /** How many changes have been seen. */
  #seen = -1;
  readonly #hyperparameter: (name: string) => number;
  /** A value for each node of `perStep`. */
  readonly #nodes: Float64Array;
  readonly #persistent: Float64Array;
  readonly #persistentNames: readonly string[];
  // Where each value comes from and goes to, looked up once.
  readonly #hyperparameters: readonly { readonly name: string; readonly node: number }[];
  readonly #stepNode: number;
  readonly #settled: Bytecode;
  readonly #live: Bytecode;
  /** For each scalar its node. */
  readonly #scalarNodes: Int32Array;
  readonly #persistentInputs: Moves;
  readonly #persistentOutputs: Moves;

  /** @param changes counts what would make `hyperparameter` give another number. */
  constructor(variant: Variant, hyperparameter: (name: string) => number, changes: Changes) {
    const { perStep, scalars, persistentScalars } = variant;
    this.#hyperparameter = hyperparameter;
    this.#changes = changes;
    this.#persistentNames = Object.keys(persistentScalars);
    this.#persistent = Float64Array.from(Object.values(persistentScalars));
    this.#hasPersistent = this.#persistentNames.length > 0;
    const isLiveInput = (name: string): boolean =>
      name === "t" || Object.hasOwn(persistentScalars, name);
    const isLive: boolean[] = [];
    for (const { op, name, operands } of perStep.nodes)
      isLive.push(op === "input" ? isLiveInput(name) : operands.some((node) => isLive[node]));
    this.#settled = bytecodeOf(perStep, (node) => !isLive[node]);
    this.#live = bytecodeOf(perStep, (node) => isLive[node]);

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
    this.#scalarNodes = Int32Array.from(scalars, place);
    this.#ahead = new Float64Array(mostAhead * scalars.length);
    this.#stepNode = inputs.get("t") ?? -1;
    this.#persistentInputs = Int32Array.from(
      this.#persistentNames.flatMap((name, i) => (inputs.has(name) ? [i, inputs.get(name)!] : [])),
    );
    this.#persistentOutputs = Int32Array.from(
      this.#persistentNames.flatMap((name, i) =>
        outputs.has(name) ? [outputs.get(name)!, i] : [],
      ),
    );
  }

  /** Computes the scalars of step `t` (1 is the first). The persistent scalars stays as it is until `commit`. */
  compute(t: number): void {
    if (
      t < this.#first ||
      t >= this.#first + this.#known ||
      this.#hasPersistent ||
      this.#seen !== this.#changes.count
    )
      this.#computeAhead(t);
    const { values } = this;
    const ahead = this.#ahead;
    const row = (t - this.#first) * values.length;
    for (let i = 0; i < values.length; i += 1) values[i] = ahead[row + i];
  }

  /** Computes the scalars of step `t`, and of some after it. */
  #computeAhead(t: number): void {
    if (this.#seen !== this.#changes.count) this.#settle();
    this.#first = t;
    // Twice as many as the last time: who sets a rate at each step has no use for any.
    this.#known = this.#hasPersistent ? 1 : Math.min(Math.max(1, 2 * this.#known), mostAhead);
    const nodes = this.#nodes;
    const ahead = this.#ahead;
    const from = this.#scalarNodes;
    for (let step = 0; step < this.#known; step += 1) {
      if (this.#stepNode >= 0) nodes[this.#stepNode] = t + step;
      move(this.#persistentInputs, this.#persistent, nodes);
      interpret(this.#live, nodes, false);
      const row = step * from.length;
      for (let i = 0; i < from.length; i += 1) ahead[row + i] = nodes[from[i]];
    }
  }

  /** Computes what follows from hyperparameters alone. */
  #settle(): void {
    const nodes = this.#nodes;
    for (const { name, node } of this.#hyperparameters) nodes[node] = this.#hyperparameter(name);
    interpret(this.#settled, nodes, false);
    this.#seen = this.#changes.count;
    this.#known = 0;
  }

  /** Hands the persistent scalars on: what `compute` found is where the next step begins. */
  commit(): void {
    if (this.#hasPersistent) move(this.#persistentOutputs, this.#nodes, this.#persistent);
  }

  /** The persistentScalars, by name. */
  get persistentScalars(): Record<string, number> {
    return Object.fromEntries(this.#persistentNames.map((name, i) => [name, this.#persistent[i]]));
  }

  set persistentScalars(persistentScalars: Readonly<Record<string, number>>) {
    this.#persistentNames.forEach((name, i) => {
      this.#persistent[i] = persistentScalars[name]!;
    });
  }
}

function move(moves: Moves, from: Float64Array, to: Float64Array): void {
  for (let i = 0; i < moves.length; i += 2) to[moves[i + 1]] = from[moves[i]];
}
