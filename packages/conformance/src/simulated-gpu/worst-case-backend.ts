import {
  HostBackend,
  type BatchRun,
  type HostArray,
  type Kernel,
  type ParameterCopy,
  type Program,
  type Tensor,
  type Variant,
  type WrappingBackend,
} from "@gradstep/core";
import { runPasses, type PassArithmetic } from "@gradstep/core/reference";
import { depthOf, depthOfPairs } from "../bounds/reduction-bound.js";
import { checkInteger } from "../option-checks.js";
import { LaidOutUpdates } from "../layouts/laid-out-updates.js";
import { Random } from "../suite/random/random.js";
import { evaluate } from "./evaluate-program.js";
import { reduceValues } from "./reduce-values.js";
import { shaderOperations } from "./shader-layouts.js";
import { ShaderArithmetic } from "./shader-arithmetic.js";

/**
 * Simulates a GPU with the largest errors that WGSL allows. Every rule on it must be inside the bounds of the model
 * `wgsl`. Real adapters round much better and do not show whether these bounds are right.
 *
 * Equal inputs give equal results, as on a device: errors depend on the seed and the inputs.
 *
 * @throws {GradstepError} `INVALID_HYPERPARAMETER` for a seed that is no integer from 0 on
 */
export function worstCase(seed = 1): WrappingBackend<HostArray> {
  checkInteger("worstCase", "seed", seed, 0);
  return new WorstCaseBackend(seed);
}

class WorstCaseBackend extends HostBackend<Float32Array> {
  readonly name = "worst-case";
  readonly precision = "f32";
  readonly exact = false;
  readonly #arithmetic: PassArithmetic;
  readonly #layouts: LaidOutUpdates;
  readonly #variants = new WeakMap<Kernel, Variant>();

  constructor(seed: number) {
    super(Float32Array);
    const randomOf = (values: Iterable<number>): Random => {
      let state = seed;
      for (const value of values) state = mix(state, value);
      return new Random(state);
    };
    this.#arithmetic = worstArithmetic(randomOf);
    this.#layouts = new LaidOutUpdates(shaderOperations(randomOf));
  }

  fillCopy(parameter: Tensor, copy: ParameterCopy): void {
    this.#layouts.fillCopy(parameter, copy);
  }

  compile(variant: Variant): Kernel {
    const kernel: Kernel = {
      source: variant.perElement.source,
      takesRowLists: true,
      run: (updates, count) => {
        this.runTogether([{ kernel, updates, count }]);
      },
    };
    this.#variants.set(kernel, variant);
    return kernel;
  }

  runTogether(runs: readonly BatchRun[]): void {
    const all = runs.map(({ kernel, updates, count }) => ({
      variant: this.#variants.get(kernel!)!,
      plain: this.#layouts.plain(updates.slice(0, count)),
    }));
    runPasses(
      all.map(({ variant, plain }) => ({ variant, updates: plain.updates })),
      this.#arithmetic,
    );
    for (const { plain } of all) plain.finish();
  }
}

/** Random numbers that depend on some values. */
type RandomOf = (values: Iterable<number>) => Random;

function worstArithmetic(randomOf: RandomOf): PassArithmetic {
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
