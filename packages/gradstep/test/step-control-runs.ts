// Runs of an optimizer on a matrix, a vector and a scalar, with random gradients.
import {
  cpuJs,
  createOptimizer,
  wasm,
  type Backend,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Tensor,
} from "gradstep";
import { reference } from "gradstep/reference";
import { bitsOf as bitsOfArrays, type Random } from "./random.js";

export type Arrays = Readonly<Record<string, Float32Array>>;

const shapes: Readonly<Record<string, readonly number[]>> = { w: [5, 4], b: [4], s: [] };

export const backends: Readonly<Record<string, () => Backend>> = {
  reference,
  "cpu-js": () => cpuJs(),
  "cpu-js, exact": () => cpuJs({ exact: true }),
  wasm: () => wasm(),
};

/** One of each kind. */
export const nonFinite = [Number.NaN, Infinity, -Infinity];

/** Values for these parameters; some are zeros of either sign, whose bits count, too. */
export function randomArrays(
  random: Random,
  names: readonly string[] = Object.keys(shapes),
): Arrays {
  return Object.fromEntries(
    names.map((name) => [name, random.values(shapes[name].reduce((a, b) => a * b, 1))]),
  );
}

export interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

export function start(
  backend: Backend,
  spec: OptimizerSpec,
  initial: Arrays,
  options: OptimizerOptions = {},
): Run {
  const parameters = Object.fromEntries(
    Object.entries(initial).map(([name, values]) => [name, backend.tensor(shapes[name], values)]),
  );
  return { optimizer: createOptimizer(spec, parameters, options), parameters };
}

/** The values of a run's parameters now. */
export async function valuesOf({ parameters }: Run): Promise<Arrays> {
  const read = Object.entries(parameters).map(
    async ([name, tensor]) => [name, (await tensor.read()) as Float32Array] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

/** All bits that a step may change. */
export async function bitsOf(run: Run): Promise<unknown> {
  const { slots, iterations, groups } = await run.optimizer.state();
  return bitsOfArrays({
    slots,
    iterations,
    groups: groups.map((one) => [one.iterations, one.persistentScalars]),
    parameters: await valuesOf(run),
  });
}

/** The mean of gradients, summed one after the other in f32. */
export function mean(all: readonly Arrays[]): Arrays {
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))];
  return Object.fromEntries(
    names.map((name) => {
      const [first, ...others] = all.flatMap((one) => (one[name] === undefined ? [] : [one[name]]));
      return [
        name,
        first.map((value, i) => {
          const sum = others.reduce((total, one) => Math.fround(total + one[i]), value);
          return Math.fround(sum / all.length);
        }),
      ];
    }),
  );
}
