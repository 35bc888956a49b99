import type { Binding } from "@gradstep/core";
import { interpret } from "@gradstep/core/internal";
import type { InterpretedPass } from "../planning/pass-plan.js";
import type { PassTable } from "../planning/pass-table.js";

/** A value of a node that is read from, or stored in, an array. */
interface Access {
  readonly node: number;
  /** The word of the entry of a tensor that has the address of the array. */
  readonly word: number;
}

/** Executes a pass over tensors, or over all of them at once. */
export class InterpretedPassRunner {
  readonly level: number;
  readonly #table: PassTable;
  readonly #pass: InterpretedPass;
  readonly #loads: readonly Access[];
  /** Nodes that are scalars of the step, with their index among them. */
  readonly #scalars: readonly { readonly node: number; readonly index: number }[];
  readonly #stores: readonly Access[];
  /** Nodes that reductions over all tensors join, with the index of the reduction. */
  readonly #reduced: readonly { readonly node: number; readonly index: number }[];
  /** One per node of the program. */
  readonly #values: Float64Array;
  /** Per reduction over all tensors: its operands. */
  readonly #operands: Float32Array[];

  constructor(table: PassTable, pass: InterpretedPass) {
    const { program, reductions } = pass.pass;
    const { layout } = table.plan;
    const accessTo = ({ name, node }: Binding): Access => ({ node, word: layout.wordOf(name) });
    const reductionOf = (name: string): number => reductions.findIndex((one) => one.name === name);
    this.level = pass.level;
    this.#table = table;
    this.#pass = pass;
    this.#loads = program.inputs.filter(({ name }) => layout.extents.has(name)).map(accessTo);
    this.#scalars = program.inputs
      .filter(({ name }) => !layout.extents.has(name))
      .map(({ name, node }) => ({ node, index: layout.scalars.indexOf(name) }));
    this.#stores = program.outputs.filter(({ name }) => reductionOf(name) < 0).map(accessTo);
    this.#reduced = program.outputs
      .filter(({ name }) => reductionOf(name) >= 0)
      .map(({ name, node }) => ({ node, index: reductionOf(name) }));
    this.#values = new Float64Array(program.nodes.length);
    this.#operands = reductions.map(() => new Float32Array(0));
  }

  run(): void {
    const { pass } = this.#pass;
    const count = pass.over === "all" ? 1 : this.#table.count;
    for (let k = 0; k < this.#operands.length; k += 1)
      if (this.#operands[k].length < count) this.#operands[k] = new Float32Array(count);
    for (let tensor = 0; tensor < count; tensor += 1) this.#runTensor(tensor);
  }

  /** The operands of a reduction over all tensors, one per tensor; undefined if it is not of this pass. */
  operandsOf(name: string): Float32Array | undefined {
    return this.#operands[this.#pass.pass.reductions.findIndex((one) => one.name === name)];
  }

  #runTensor(tensor: number): void {
    const table = this.#table;
    const values = this.#values;
    const { floats } = table;
    const { scalars } = table.updates[tensor];
    for (let i = 0; i < this.#loads.length; i += 1) {
      const { node, word } = this.#loads[i];
      values[node] = floats[table.addressAt(word, tensor) / 4];
    }
    for (let i = 0; i < this.#scalars.length; i += 1) {
      const { node, index } = this.#scalars[i];
      values[node] = Math.fround(scalars[index]);
    }
    interpret(this.#pass.bytecode, values, "f32");
    for (let i = 0; i < this.#stores.length; i += 1) {
      const { node, word } = this.#stores[i];
      floats[table.addressAt(word, tensor) / 4] = values[node];
    }
    for (let i = 0; i < this.#reduced.length; i += 1) {
      const { node, index } = this.#reduced[i];
      this.#operands[index][tensor] = values[node];
    }
  }
}
