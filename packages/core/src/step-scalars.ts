import { interpret } from "./interpret.js";
import type { Variant } from "./variant.js";

/**
 * The scalars of a step, from hyperparameters, the step number and the carry: computed on the host, in f64, into the
 * same memory each time.
 */
export class StepScalars {
  /** What a kernel receives, in the order of `variant.scalars`. */
  readonly values: Float64Array;
  readonly #variant: Variant;
  readonly #hyperparameter: (name: string) => number;
  readonly #nodes: Float64Array;
  readonly #carry: Float64Array;
  readonly #carryNames: readonly string[];

  constructor(variant: Variant, hyperparameter: (name: string) => number) {
    this.#variant = variant;
    this.#hyperparameter = hyperparameter;
    this.values = new Float64Array(variant.scalars.length);
    this.#nodes = new Float64Array(variant.perStep.nodes.length);
    this.#carryNames = Object.keys(variant.carry);
    this.#carry = Float64Array.from(Object.values(variant.carry));
  }

  /** Computes the scalars of step `t` (1 is the first). The carry stays as it is until `commit`. */
  compute(t: number): void {
    const { perStep, scalars } = this.#variant;
    for (let i = 0; i < perStep.inputs.length; i += 1) {
      const { name, node } = perStep.inputs[i];
      const carried = this.#carryNames.indexOf(name);
      this.#nodes[node] =
        name === "t" ? t : carried >= 0 ? this.#carry[carried] : this.#hyperparameter(name);
    }
    interpret(perStep, this.#nodes, false);
    for (let i = 0; i < scalars.length; i += 1) {
      const node = outputNode(this.#variant, scalars[i]);
      this.values[i] = node < 0 ? this.#hyperparameter(scalars[i]) : this.#nodes[node];
    }
  }

  /** Hands the carry on: what `compute` found is where the next step begins. */
  commit(): void {
    for (let i = 0; i < this.#carryNames.length; i += 1) {
      const node = outputNode(this.#variant, this.#carryNames[i]);
      if (node >= 0) this.#carry[i] = this.#nodes[node]!;
    }
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

/** The node of an output, or −1. */
function outputNode({ perStep }: Variant, name: string): number {
  for (let i = 0; i < perStep.outputs.length; i += 1) {
    if (perStep.outputs[i].name === name) return perStep.outputs[i].node;
  }
  return -1;
}
