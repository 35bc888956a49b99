import { interpret } from "@gradstep/core";
import type { InterpretedPass } from "../planning/pass-plan.js";
import type { PassTable } from "../planning/pass-table.js";

/** Executes a pass over tensors, or over all of them at once. */
export class InterpretedPassRunner {
  readonly level: number;
  readonly #table: PassTable;
  readonly #pass: InterpretedPass;
  /** One per node of the program. */
  readonly #values: Float64Array;
  /** Per reduction over all tensors: its operands. */
  readonly #operands: Float32Array[];

  constructor(table: PassTable, pass: InterpretedPass) {
    this.level = pass.level;
    this.#table = table;
    this.#pass = pass;
    this.#values = new Float64Array(pass.pass.program.nodes.length);
    this.#operands = pass.pass.reductions.map(() => new Float32Array(0));
  }

  run(): void {
    const { pass } = this.#pass;
    const count = pass.over === "all" ? 1 : this.#table.count;
    this.#operands.forEach((operands, k) => {
      if (operands.length < count) this.#operands[k] = new Float32Array(count);
    });
    for (let tensor = 0; tensor < count; tensor += 1) this.#runTensor(tensor);
  }

  /** The operands of a reduction over all tensors, one per tensor; undefined if it is not of this pass. */
  operandsOf(name: string): Float32Array | undefined {
    return this.#operands[this.#pass.pass.reductions.findIndex((one) => one.name === name)];
  }

  #runTensor(tensor: number): void {
    const { pass, bytecode } = this.#pass;
    const { inputs, outputs } = pass.program;
    const table = this.#table;
    const values = this.#values;
    const { layout } = table.plan;
    const { floats } = table;
    const { scalars } = table.updates[tensor];
    for (let i = 0; i < inputs.length; i += 1) {
      const { name, node } = inputs[i];
      values[node] = layout.extents.has(name)
        ? floats[table.addressOf(name, tensor) / 4]
        : Math.fround(scalars[layout.scalars.indexOf(name)]);
    }
    interpret(bytecode, values, "f32");
    for (let i = 0; i < outputs.length; i += 1) {
      const { name, node } = outputs[i];
      const operands = this.operandsOf(name);
      if (operands === undefined) floats[table.addressOf(name, tensor) / 4] = values[node];
      else operands[tensor] = values[node];
    }
  }
}
