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
  // Where each value comes from, looked up once: a step is to cost less than a thousand elements do.
  readonly #inputs: readonly { name: string; node: number; carried: number }[];
  readonly #scalarNodes: readonly number[];
  readonly #carryNodes: readonly number[];

  constructor(variant: Variant, hyperparameter: (name: string) => number) {
    this.#variant = variant;
    this.#hyperparameter = hyperparameter;
    this.values = new Float64Array(variant.scalars.length);
    this.#nodes = new Float64Array(variant.perStep.nodes.length);
    this.#carryNames = Object.keys(variant.carry);
    this.#carry = Float64Array.from(Object.values(variant.carry));
    const outputNode = (name: string): number =>
      variant.perStep.outputs.find((output) => output.name === name)?.node ?? -1;
    this.#inputs = variant.perStep.inputs.map(({ name, node }) => ({
      name,
      node,
      carried: this.#carryNames.indexOf(name),
    }));
    this.#scalarNodes = variant.scalars.map(outputNode);
    this.#carryNodes = this.#carryNames.map(outputNode);
  }

  /** Computes the scalars of step `t` (1 is the first). The carry stays as it is until `commit`. */
  compute(t: number): void {
    const { perStep, scalars } = this.#variant;
    for (let i = 0; i < this.#inputs.length; i += 1) {
      const { name, node, carried } = this.#inputs[i];
      this.#nodes[node] =
        name === "t" ? t : carried >= 0 ? this.#carry[carried] : this.#hyperparameter(name);
    }
    interpret(perStep, this.#nodes, false);
    for (let i = 0; i < scalars.length; i += 1) {
      const node = this.#scalarNodes[i];
      this.values[i] = node < 0 ? this.#hyperparameter(scalars[i]) : this.#nodes[node];
    }
  }

  /** Hands the carry on: what `compute` found is where the next step begins. */
  commit(): void {
    for (let i = 0; i < this.#carryNames.length; i += 1) {
      const node = this.#carryNodes[i];
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
