import {
  arraysOf,
  HostTensor,
  wrapArray,
  type Kernel,
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
 * A GPU that errs as far as WGSL lets it, simulated: every rule on it must be inside the bound of the model `wgsl`, and
 * no bug may hide in that bound. Real adapters, and those in software above all, round much better, so that on them the
 * tolerance is never put to use.
 *
 * From equal inputs it computes equal results, as a device does: its choices follow from the seed and the inputs.
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
  for (let i = 0; i < update.parameter.size; i += 1) {
    let state = seed;
    for (const { name, node } of perElement.inputs) {
      const array = arrays.get(name);
      values[node] =
        array === undefined ? Math.fround(update.scalars[scalars.indexOf(name)]) : array[i];
      state = mix(state, values[node]);
    }
    evaluate(perElement, values, new Random(state));
    for (const { name, node } of perElement.outputs) arrays.get(name)![i] = values[node];
  }
}

const cell = new Float32Array(1);
const bits = new Int32Array(cell.buffer);

function mix(state: number, value: number): number {
  cell[0] = value;
  return Math.imul(state ^ bits[0], 0x01000193);
}
