import {
  createOptimizer,
  type OptimizerSpec,
  type StepOptions,
  type WrappingBackend,
} from "@gradstep/core";
import { expect } from "vitest";
import { differences, numbers } from "./support.js";

/** The gradients of a step, and its mask. */
export interface Step {
  readonly gradients: Readonly<Record<string, Float32Array>>;
  readonly options?: StepOptions;
}

/** The bits of all parameters and slots after some steps. */
export async function after(
  backend: WrappingBackend<Float32Array>,
  spec: OptimizerSpec,
  tensors: Readonly<Record<string, readonly number[]>>,
  steps: readonly Step[],
): Promise<Readonly<Record<string, Float32Array>>> {
  const parameters = Object.fromEntries(
    Object.entries(tensors).map(([name, shape], i) => {
      const size = shape.reduce((a, b) => a * b, 1);
      return [name, backend.tensor(shape, numbers(size, i + 1))];
    }),
  );
  const optimizer = createOptimizer(spec, parameters);
  for (const { gradients, options } of steps) {
    const before = Object.values(gradients).map((values) => values.slice());
    optimizer.step(gradients, options);
    expect(Object.values(gradients)).toEqual(before);
  }
  const { slots } = await optimizer.state();
  const results: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(parameters)) {
    results[name] = (await tensor.read()) as Float32Array;
    for (const [slot, values] of Object.entries(slots[name]))
      results[`${slot} of ${name}`] = Float32Array.from(values as ArrayLike<number>);
  }
  for (const [name, value] of Object.entries(await optimizer.metrics()))
    results[name] = Float32Array.from(
      typeof value === "number" ? [value] : Object.values(value as Record<string, number>),
    );
  return results;
}

/** Steps with other gradients each. */
export function stepsFor(
  tensors: Readonly<Record<string, readonly number[]>>,
  count: number,
  options?: (step: number) => StepOptions,
): Step[] {
  return Array.from({ length: count }, (_, k) => ({
    gradients: Object.fromEntries(
      Object.entries(tensors).map(([name, shape], i) => {
        const size = shape.reduce((a, b) => a * b, 1);
        return [name, numbers(size, 100 * (k + 1) + i)];
      }),
    ),
    ...(options === undefined ? {} : { options: options(k) }),
  }));
}

/** The arrays whose bits differ: `m of w: 3 of 36 values, from 7 on`. */
export function differingArrays(
  got: Readonly<Record<string, Float32Array>>,
  wanted: Readonly<Record<string, Float32Array>>,
): string[] {
  const names = new Set([...Object.keys(got), ...Object.keys(wanted)]);
  return [...names].flatMap((name) => {
    const [one, other] = [got[name] ?? [], wanted[name] ?? []];
    if (one.length !== other.length) return [`${name}: ${one.length} values, not ${other.length}`];
    const places = differences(one, other);
    return places.length === 0
      ? []
      : [`${name}: ${places.length} of ${one.length} values, from ${places[0]} on`];
  });
}

/** The largest difference relative to the largest value of an array. */
export function error(
  got: Readonly<Record<string, Float32Array>>,
  wanted: Readonly<Record<string, Float32Array>>,
): number {
  return Math.max(
    ...Object.entries(wanted).map(([name, values]) => {
      const scale = Math.max(1e-3, ...values.map(Math.abs));
      return Math.max(...values.map((value, i) => Math.abs(value - got[name][i]) / scale));
    }),
  );
}
