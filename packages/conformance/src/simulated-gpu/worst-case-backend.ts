import {
  arraysOf,
  HostTensor,
  remapRows,
  wrapArray,
  type Kernel,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Tensor,
  type Update,
  type Variant,
  type WrapOptions,
  type WrappingBackend,
} from "@gradstep/core";
import { Random } from "../suite/random/random.js";
import { evaluate } from "./evaluate-program.js";

/**
 * Simulates a GPU with the largest errors that WGSL allows. Every rule on it must be inside the bounds of the model
 * `wgsl`. Real adapters round much better and do not show whether these bounds are right.
 *
 * Equal inputs give equal results, as on a device: errors depend on the seed and the inputs.
 */
export function worstCase(seed = 1): WrappingBackend<Float32Array> {
  return new WorstCaseBackend(seed);
}

class WorstCaseBackend implements WrappingBackend<Float32Array> {
  readonly name = "worst-case";
  readonly precision = "f32";
  readonly exact = false;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>): Tensor {
    const tensor = HostTensor.allocate(this, Float32Array, shape);
    if (values !== undefined) tensor.write(values);
    return tensor;
  }

  staging(shape: readonly number[]): StagingTensor {
    return new HostTensor(this, shape);
  }

  wrap(memory: Float32Array, options?: WrapOptions): Tensor {
    const { shape, values, reserved } = wrapArray(Float32Array, memory, options);
    return new HostTensor(this, shape, values, reserved);
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    remapRows(moves, sources);
  }

  compile(variant: Variant): Kernel {
    return {
      source: variant.perElement.source,
      run: (updates, count) => {
        for (let i = 0; i < count; i += 1) runUpdate(variant, updates[i], this.#seed);
      },
    };
  }
}

function runUpdate(variant: Variant, update: Update, seed: number): void {
  const { perElement, scalars } = variant;
  const arrays = arraysOf<Float32Array>(variant, update);
  const values = new Float64Array(perElement.nodes.length);
  const { parameter, unselectedRows } = update;
  const mask = update.mask as Uint32Array | undefined;
  const rowLength = parameter.size / (parameter.shape[0] ?? 1);
  for (let i = 0; i < parameter.size; i += 1) {
    const isSelected = mask === undefined || mask[Math.floor(i / rowLength)] !== 0;
    if (!isSelected && unselectedRows === "keep") continue;
    let state = seed;
    for (const { name, node } of perElement.inputs) {
      const array = arrays.get(name);
      if (array === undefined) values[node] = Math.fround(update.scalars[scalars.indexOf(name)]);
      else values[node] = name === "g" && !isSelected ? 0 : array[i];
      state = mix(state, values[node]);
    }
    evaluate(perElement, values, new Random(state));
    for (const { name, node } of perElement.outputs) {
      if (isSelected || unselectedRows === "zero" || name !== "p")
        arrays.get(name)![i] = values[node];
    }
  }
}

const cell = new Float32Array(1);
const bits = new Int32Array(cell.buffer);

function mix(state: number, value: number): number {
  cell[0] = value;
  return Math.imul(state ^ bits[0], 0x01000193);
}
