import {
  createOptimizer,
  type Backend,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";

import type { Random } from "./random.js";

export const shapes = { w: [5, 4], b: [4], s: [1] } as const;
export const names = ["w", "b", "s"] as const;
const nonFinite = [Number.NaN, Infinity, -Infinity];

export type Arrays = Readonly<Record<(typeof names)[number], Float32Array>>;

export function arrays(random: Random): Arrays {
  const { w, b, s } = { w: random.values(20), b: random.values(4), s: random.values(1) };
  return { w: Float32Array.from(w), b: Float32Array.from(b), s: Float32Array.from(s) };
}

/** Gradients with one value that is not finite, at a random place. */
export function bad(random: Random, i: number): Arrays {
  const all = arrays(random);
  const array = all[names[random.below(3)]];
  array[random.below(array.length)] = nonFinite[i % 3];
  return all;
}

export interface Run {
  readonly optimizer: Optimizer;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

export function start(
  backend: Backend,
  spec: OptimizerSpec,
  initial: Arrays,
  options: OptimizerOptions = { nonFinite: "skip" },
): Run {
  const parameters = Object.fromEntries(
    names.map((name) => [name, backend.tensor(shapes[name], initial[name])]),
  );
  return { optimizer: createOptimizer(spec, parameters, options), parameters };
}

/** All bits that a step may change. */
export async function bitsOf({ optimizer, parameters }: Run): Promise<unknown> {
  const [state, values] = await Promise.all([
    optimizer.state(),
    Promise.all(Object.values(parameters).map((tensor) => tensor.read())),
  ]);
  const bits = (one: ArrayLike<number>): readonly number[] => [
    ...new Uint32Array(Float32Array.from(one).buffer),
  ];
  return {
    slots: Object.values(state.slots).flatMap((slots) => Object.values(slots).map(bits)),
    values: values.map(bits),
    iterations: state.iterations,
    groups: state.groups.map(({ iterations, persistentScalars }) => [
      iterations,
      persistentScalars,
    ]),
  };
}
