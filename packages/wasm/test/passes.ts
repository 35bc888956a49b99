import {
  createOptimizer,
  type Backend,
  type Optimizer,
  type OptimizerSpec,
  type StepOptions,
  type Tensor,
} from "@gradstep/core";
import { firstDifference } from "./bits.js";

/** Some steps of an optimizer, to be compared between backends. */
export interface Steps {
  readonly spec: OptimizerSpec;
  /** Shapes of its tensors, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  /** Options of each step. */
  readonly options: readonly StepOptions[];
  /** The value at an index of a tensor: of its gradient, or of the parameter for step −1. */
  readonly valueAt?: (tensor: number, step: number, index: number) => number;
  /** Called before each step. */
  readonly before?: (optimizer: Optimizer, step: number) => void;
}

/** Values of either sign, from about 0.001 to 3, in no order. */
export function someValue(tensor: number, step: number, index: number): number {
  const angle = (index + 1) * (index + 1) * 0.37 + 11 * tensor + 5 * step;
  return Math.sin(angle) * (1 + Math.cos(3 * angle + index)) * 1.5;
}

/** All masks that step options can have: by tensor, from 0 and 1 or by a number per row. */
export function rowsOf(
  shapes: Steps["shapes"],
  isSelected: (row: number, tensor: number) => boolean,
): Record<string, Uint32Array> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, [rows = 1]], tensor) => [
      name,
      Uint32Array.from({ length: rows }, (_, row) => (isSelected(row, tensor) ? 1 + row : 0)),
    ]),
  );
}

/** Runs the steps. @returns parameters, slots and metrics, by name */
export async function after(backend: Backend, steps: Steps): Promise<Map<string, Float32Array>> {
  const { spec, shapes, options, valueAt = someValue, before = () => {} } = steps;
  const names = Object.keys(shapes);
  const valuesOf = (name: string, step: number): Float32Array =>
    Float32Array.from({ length: shapes[name].reduce((a, b) => a * b, 1) }, (_, i) =>
      valueAt(names.indexOf(name), step, i),
    );
  const parameters: Record<string, Tensor> = Object.fromEntries(
    names.map((name) => [name, backend.tensor(shapes[name], valuesOf(name, -1))]),
  );
  const optimizer = createOptimizer(spec, parameters);
  for (const [step, stepOptions] of options.entries()) {
    before(optimizer, step);
    const gradients = names.map((name) => {
      const { size } = parameters[name];
      return [name, valuesOf(name, step).slice(0, size)] as const;
    });
    optimizer.step(Object.fromEntries(gradients), stepOptions);
  }
  const results = new Map<string, Float32Array>();
  for (const name of names) results.set(name, (await parameters[name].read()) as Float32Array);
  for (const [name, slots] of Object.entries((await optimizer.state()).slots))
    for (const [slot, values] of Object.entries(slots))
      results.set(`${slot} of ${name}`, Float32Array.from(values as ArrayLike<number>));
  for (const [name, value] of Object.entries(await optimizer.metrics()))
    results.set(
      name,
      Float32Array.from(typeof value === "number" ? [value] : Object.values(value)),
    );
  optimizer.dispose();
  for (const tensor of Object.values(parameters)) tensor.free();
  return results;
}

/** The first value whose bits differ; undefined if there is none. */
export function difference(
  got: ReadonlyMap<string, Float32Array>,
  expected: ReadonlyMap<string, Float32Array>,
): string | undefined {
  for (const [name, values] of expected) {
    const i = firstDifference(got.get(name)!, values);
    if (i >= 0) return `${name}[${i}] is ${got.get(name)![i]}; expected ${values[i]}`;
  }
  return undefined;
}
