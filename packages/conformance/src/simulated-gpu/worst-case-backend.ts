import {
  HostTensor,
  remapRows,
  wrapArray,
  type BatchRun,
  type Kernel,
  type Program,
  type RowMove,
  type RowSources,
  type StagingTensor,
  type Tensor,
  type Variant,
  type WrapOptions,
  type WrappingBackend,
} from "@gradstep/core";
import { runPasses, type PassArithmetic } from "@gradstep/core/reference";
import { depthOf, depthOfPairs } from "../bounds/reduction-bound.js";
import { Random } from "../suite/random/random.js";
import { evaluate } from "./evaluate-program.js";
import { reduceValues } from "./reduce-values.js";
import { ShaderArithmetic } from "./shader-arithmetic.js";

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
  readonly #arithmetic: PassArithmetic;
  readonly #variants = new WeakMap<Kernel, Variant>();

  constructor(seed: number) {
    this.#arithmetic = worstArithmetic(seed);
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
    return wrapArray<Float32Array, Tensor>(
      this,
      memory,
      options,
      (shape, values, reserved) => new HostTensor(this, shape, values, reserved),
    );
  }

  remap(moves: readonly RowMove[], sources: RowSources): void {
    remapRows(moves, sources);
  }

  copy(source: Tensor, target: Tensor): void {
    target.write((source as HostTensor).view());
  }

  compile(variant: Variant): Kernel {
    const kernel: Kernel = {
      source: variant.perElement.source,
      takesRowLists: true,
      run: (updates, count) => {
        runPasses([{ variant, updates: updates.slice(0, count) }], this.#arithmetic);
      },
    };
    this.#variants.set(kernel, variant);
    return kernel;
  }

  runTogether(runs: readonly BatchRun[]): void {
    const all = runs.map(({ kernel, updates, count }) => ({
      variant: this.#variants.get(kernel!)!,
      updates: updates.slice(0, count),
    }));
    runPasses(all, this.#arithmetic);
  }
}

function worstArithmetic(seed: number): PassArithmetic {
  const randomOf = (values: Iterable<number>): Random => {
    let state = seed;
    for (const value of values) state = mix(state, value);
    return new Random(state);
  };
  return {
    scalar: Math.fround,
    evaluate: (program, values) => {
      evaluate(program, values, randomOf(inputsOf(program, values)));
    },
    reduce: (op, count, valueAt) => {
      const values: number[] = [];
      for (let i = 0; i < count; i += 1) {
        const value = valueAt(i);
        if (value !== undefined) values.push(value);
      }
      return reduceValues(op, values, depthOf(count), randomOf(values));
    },
    join: (op, values) => reduceValues(op, values, depthOfPairs(values.length), randomOf(values)),
    roundProducts: (values) => {
      const shader = new ShaderArithmetic(randomOf(values));
      return (value) => shader.either(value);
    },
  };
}

function* inputsOf({ inputs }: Program, values: Float64Array): Iterable<number> {
  for (const { node } of inputs) yield values[node];
}

const cell = new Float32Array(1);
const bits = new Int32Array(cell.buffer);

function mix(state: number, value: number): number {
  cell[0] = value;
  return Math.imul(state ^ bits[0], 0x01000193);
}
