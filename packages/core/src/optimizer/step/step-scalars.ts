import { interpret } from "../../language/interpret.js";
import { bytecodeOf, type Bytecode } from "../../language/bytecode.js";
import type { Variant } from "../../rule/variant.js";

/** What all groups of an optimizer have in common: how far it is. */
export interface Clock {
  /** Number of steps taken, by which schedules go. */
  iterations: number;
  /** Number of times that hyperparameters were set. */
  changes: number;
  /** Calls of `step` per step that schedules count; 1 if they count steps. */
  callsPerStep: number;
}

/** Where the values of hyperparameters come from. */
export interface HyperparameterSource {
  /** The value for the next step. */
  get(name: string): number;
  /** Whether one of them follows a schedule, so that values differ from step to step. */
  readonly isScheduled: boolean;
}

/** Which values are copied where: pairs of indices, from and to. */
type Moves = Int32Array;

const defaultMaxAhead = 16;

/**
 * Computes the scalars of a step from the hyperparameters, the step number and the persistent scalars: on the host, in
 * f64, into the same memory each time.
 *
 * Kernels evict everything else from the caches, so code that takes 0.2 µs in a loop takes 1 to 10 µs after one. That is
 * why values that depend on hyperparameters alone are computed only after one was set, and why the scalars of several
 * steps are computed together if no hyperparameter was set and the rule has no persistent scalars.
 */
export class StepScalars {
  // The fields that every step reads come first, to share cache lines.
  /** The scalars for the kernel, in the order of `variant.scalars`. */
  readonly values: Float64Array;
  /** The scalars of `#known` steps from `#first` on, one row per step. */
  readonly #ahead: Float64Array;
  #first = 0;
  #known = 0;
  /** The row of the last `compute`. */
  #row = 0;
  readonly #hasPersistent: boolean;
  readonly #clock: Clock;
  readonly #maxAhead: number;
  /** The number of changes at the last evaluation. */
  #seen = -1;
  readonly #source: HyperparameterSource;
  /** A value per node of `perStep`. */
  readonly #nodes: Float64Array;
  readonly #persistent: Float64Array;
  readonly #persistentNames: readonly string[];
  // Where each value comes from and goes to.
  readonly #hyperparameters: readonly { readonly name: string; readonly node: number }[];
  readonly #stepNode: number;
  /** Computes what depends on hyperparameters alone. */
  readonly #constants: Bytecode;
  /** Computes what depends on the step number and the persistent scalars. */
  readonly #live: Bytecode;
  /** The node of each scalar. */
  readonly #scalarNodes: Int32Array;
  readonly #persistentInputs: Moves;
  readonly #persistentOutputs: Moves;

  /** @param maxAhead the most steps whose scalars are computed together */
  constructor(
    variant: Variant,
    source: HyperparameterSource,
    clock: Clock,
    maxAhead: number = defaultMaxAhead,
  ) {
    this.#maxAhead = maxAhead;
    const { perStep, scalars, persistentScalars } = variant;
    this.#source = source;
    this.#clock = clock;
    this.#persistentNames = Object.keys(persistentScalars);
    this.#persistent = Float64Array.from(Object.values(persistentScalars));
    this.#hasPersistent = this.#persistentNames.length > 0;
    const isLiveInput = (name: string): boolean =>
      name === "t" || Object.hasOwn(persistentScalars, name);
    const isLive: boolean[] = [];
    for (const { op, name, operands } of perStep.nodes)
      isLive.push(op === "input" ? isLiveInput(name) : operands.some((node) => isLive[node]));
    this.#constants = bytecodeOf(perStep, (node) => !isLive[node]);
    this.#live = bytecodeOf(perStep, (node) => isLive[node]);

    const inputs = new Map(perStep.inputs.map(({ name, node }) => [name, node]));
    const outputs = new Map(perStep.outputs.map(({ name, node }) => [name, node]));
    // A scalar that perStep does not compute is a hyperparameter; its value comes after the nodes.
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
    this.#ahead = new Float64Array(maxAhead * scalars.length);
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

  /** Computes the scalars of step `t` (1 is the first). Persistent scalars do not change before `commit`. */
  compute(t: number): void {
    if (
      t < this.#first ||
      t >= this.#first + this.#known ||
      this.#hasPersistent ||
      this.#seen !== this.#clock.changes ||
      this.#source.isScheduled
    )
      this.#computeAhead(t);
    const { values } = this;
    const ahead = this.#ahead;
    this.#row = t - this.#first;
    const start = this.#row * values.length;
    for (let i = 0; i < values.length; i += 1) values[i] = ahead[start + i];
  }

  /**
   * Copies the scalars of the step `steps` after that of the last `compute`, if it will have the same hyperparameters.
   * @returns whether they are known
   */
  readonly upcoming = (steps: number, target: Float64Array): boolean => {
    const row = this.#row + steps;
    if (row >= this.#known || this.#seen !== this.#clock.changes) return false;
    const { length } = this.values;
    for (let i = 0; i < length; i += 1) target[i] = this.#ahead[row * length + i];
    return true;
  };

  /** Computes the scalars of step `t` for another value of a hyperparameter than that of the source. */
  computeFor(t: number, hyperparameter: string, value: number): void {
    const nodes = this.#nodes;
    for (const { name, node } of this.#hyperparameters)
      nodes[node] = name === hyperparameter ? value : this.#source.get(name);
    interpret(this.#constants, nodes);
    // The scalars that were computed ahead have the value of the source.
    this.#seen = -1;
    if (this.#stepNode >= 0) nodes[this.#stepNode] = t;
    move(this.#persistentInputs, this.#persistent, nodes);
    interpret(this.#live, nodes);
    for (let i = 0; i < this.values.length; i += 1) this.values[i] = nodes[this.#scalarNodes[i]];
  }

  /** Computes the scalars of step `t` and of some steps after it. */
  #computeAhead(t: number): void {
    const { isScheduled } = this.#source;
    if (this.#seen !== this.#clock.changes || isScheduled) this.#computeConstants();
    this.#first = t;
    // Twice as many as last time: with a rate that is set before each step, none is computed in vain.
    this.#known =
      this.#hasPersistent || isScheduled
        ? 1
        : Math.min(Math.max(1, 2 * this.#known), this.#maxAhead);
    const nodes = this.#nodes;
    const ahead = this.#ahead;
    const from = this.#scalarNodes;
    for (let step = 0; step < this.#known; step += 1) {
      if (this.#stepNode >= 0) nodes[this.#stepNode] = t + step;
      move(this.#persistentInputs, this.#persistent, nodes);
      interpret(this.#live, nodes);
      const row = step * from.length;
      for (let i = 0; i < from.length; i += 1) ahead[row + i] = nodes[from[i]];
    }
  }

  /** Computes what depends on hyperparameters alone. */
  #computeConstants(): void {
    const nodes = this.#nodes;
    for (const { name, node } of this.#hyperparameters) nodes[node] = this.#source.get(name);
    interpret(this.#constants, nodes);
    this.#seen = this.#clock.changes;
    this.#known = 0;
  }

  /** Stores the persistent scalars that `compute` found, for the next step. */
  commit(): void {
    if (this.#hasPersistent) move(this.#persistentOutputs, this.#nodes, this.#persistent);
  }

  /** The number of persistent scalars. */
  get persistentCount(): number {
    return this.#persistent.length;
  }

  /** Copies the persistent scalars that the last `compute` found, before `commit`. */
  copyNext(target: Float64Array, start: number): void {
    target.set(this.#persistent, start);
    const moves = this.#persistentOutputs;
    for (let i = 0; i < moves.length; i += 2) target[start + moves[i + 1]] = this.#nodes[moves[i]];
  }

  /** Copies the persistent scalars, in their order. */
  copyPersistent(target: Float64Array, start: number): void {
    target.set(this.#persistent, start);
  }

  /** Replaces the persistent scalars by values in their order. */
  setPersistent(source: Float64Array, start: number): void {
    for (let i = 0; i < this.#persistent.length; i += 1) this.#persistent[i] = source[start + i];
  }

  /** The persistent scalars, by name. */
  get persistentScalars(): Record<string, number> {
    return Object.fromEntries(this.#persistentNames.map((name, i) => [name, this.#persistent[i]]));
  }

  set persistentScalars(values: Readonly<Record<string, number>>) {
    this.#persistentNames.forEach((name, i) => {
      this.#persistent[i] = values[name]!;
    });
  }
}

function move(moves: Moves, from: Float64Array, to: Float64Array): void {
  for (let i = 0; i < moves.length; i += 2) to[moves[i + 1]] = from[moves[i]];
}
