import {
  adam,
  createOptimizer,
  newRow,
  type Optimizer,
  type OptimizerState,
  type Tensor,
  type Values,
} from "@gradstep/core";
import type { WebGpu } from "@gradstep/webgpu";
import { decodeFloat16 } from "./float16.js";
import { attributes, structLength, type Gradients } from "./splat-trainer.js";

type Arrays = Record<string, Values>;

const float16Values = Float32Array.from({ length: 65536 }, (_, bits) => decodeFloat16(bits));

/**
 * The splat trainer with plain arrays: gradients are decoded, unselected rows restored and rows remapped on the host. Only
 * the arithmetic is that of the backend, in dense steps.
 */
export class ArrayTrainer {
  readonly #backend: WebGpu;
  readonly #settings: Parameters<typeof adam>[0];
  parameters: Arrays;
  state: OptimizerState;
  #tensors: Record<string, Tensor> = {};
  #optimizer: Optimizer<"learningRate"> | undefined;

  constructor(
    backend: WebGpu,
    settings: Parameters<typeof adam>[0],
    parameters: Arrays,
    state: OptimizerState,
  ) {
    this.#backend = backend;
    this.#settings = settings;
    this.parameters = parameters;
    this.state = state;
  }

  async step({ structs, harmonics, tiles }: Gradients): Promise<void> {
    const rows = tiles.length;
    const optimizer = (this.#optimizer ??= this.#create(rows));
    const tensors = this.#tensors;
    for (const { name } of attributes) tensors[name].write(this.parameters[name]);
    const shapes = Object.fromEntries(attributes.map(({ name }) => [name, tensors[name].shape]));
    optimizer.restore({ ...this.state, shapes });
    optimizer.step(
      Object.fromEntries(
        attributes.map(({ name, columns, gradientOffset }) => [
          name,
          gradientOffset === undefined
            ? harmonics
            : unpacked(structs, gradientOffset, rows, columns),
        ]),
      ),
    );
    const state = await optimizer.state();
    const restored = (values: Values, old: Values, columns: number): Values => {
      for (let row = 0; row < rows; row += 1) {
        if (tiles[row] !== 0) continue;
        for (let at = row * columns; at < (row + 1) * columns; at += 1) values[at] = old[at];
      }
      return values;
    };
    for (const { name, columns } of attributes) {
      this.parameters[name] = restored(await tensors[name].read(), this.parameters[name], columns);
      for (const [slot, values] of Object.entries(state.slots[name]))
        restored(values, this.state.slots[name][slot], columns);
    }
    this.state = state;
  }

  remap(indices: Uint32Array, resetRows: Uint32Array): void {
    const slots: Record<string, Record<string, Values>> = {};
    for (const { name, columns } of attributes) {
      this.parameters[name] = moved(this.parameters[name], columns, indices);
      slots[name] = Object.fromEntries(
        Object.entries(this.state.slots[name]).map(([slot, values]) => [
          slot,
          moved(values, columns, indices, resetRows),
        ]),
      );
    }
    this.state = { ...this.state, slots };
    this.#optimizer?.dispose();
    this.#optimizer = undefined;
    for (const tensor of Object.values(this.#tensors)) tensor.free();
  }

  #create(rows: number): Optimizer<"learningRate"> {
    this.#tensors = Object.fromEntries(
      attributes.map(({ name, columns }) => [name, this.#backend.tensor([rows, columns])]),
    );
    return createOptimizer(adam(this.#settings), this.#tensors, {
      groups: attributes.map(({ name, learningRate, every }) => ({
        match: name,
        learningRate,
        every,
      })),
    });
  }
}

function unpacked(
  structs: Uint16Array,
  gradientOffset: number,
  rows: number,
  columns: number,
): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row += 1) {
    const start = row * structLength + gradientOffset;
    for (let k = 0; k < columns; k += 1)
      values[row * columns + k] = float16Values[structs[start + k]];
  }
  return values;
}

function moved(
  values: Values,
  columns: number,
  indices: Uint32Array,
  resetRows?: Uint32Array,
): Float32Array {
  const after = new Float32Array(indices.length * columns);
  for (let row = 0; row < indices.length; row += 1) {
    if (indices[row] === newRow || (resetRows !== undefined && resetRows[row] !== 0)) continue;
    for (let k = 0; k < columns; k += 1)
      after[row * columns + k] = values[indices[row] * columns + k];
  }
  return after;
}
