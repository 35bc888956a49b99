import {
  createOptimizer,
  type Backend,
  type Gradients,
  type OptimizerMethods,
  type Tensor,
} from "@gradstep/core";
import type { ImportedCheckpoint } from "../../src/index.js";

/** Values by the names of parameters. */
export type NamedValues = Readonly<Record<string, readonly number[]>>;

/** An optimizer that continues from a checkpoint. */
export interface ResumedRun {
  readonly optimizer: OptimizerMethods<string>;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

/** Continues from a checkpoint. */
export function resume(
  { spec, parameters: values, state }: ImportedCheckpoint,
  backend: Backend,
): ResumedRun {
  const parameters = Object.fromEntries(
    Object.entries(values).map(([name, one]) => [name, backend.tensor(one.shape, one.values)]),
  );
  const optimizer = createOptimizer(spec, parameters) as OptimizerMethods<string>;
  optimizer.restore(state);
  return { optimizer, parameters };
}

/**
 * The largest difference from a library in any value of any step, relative to the largest magnitude that the element has
 * had since the checkpoint: a value that passes through zero keeps the rounding errors of larger ones.
 *
 * @param gradients of each step; parameters that are left out have none
 * @param expected the library's parameters after each step
 * @param step takes one
 */
export async function worstDifference(
  { optimizer, parameters }: ResumedRun,
  gradients: readonly NamedValues[],
  expected: readonly NamedValues[],
  step: (optimizer: OptimizerMethods<string>, gradients: Gradients) => void = (one, given) => {
    one.step(given);
  },
): Promise<number> {
  const names = Object.keys(parameters);
  const scales = new Map<string, Float64Array>();
  for (const name of names)
    scales.set(name, Float64Array.from(await parameters[name].read(), Math.abs));
  let worst = 0;
  for (const [i, values] of expected.entries()) {
    const frozen = optimizer.groups.flatMap((group) => (group.frozen ? group.parameters : []));
    const given = optimizer.parameters.filter(
      (name) => !frozen.includes(name) && Object.hasOwn(gradients[i], name),
    );
    step(
      optimizer,
      Object.fromEntries(given.map((name) => [name, Float32Array.from(gradients[i][name])])),
    );
    for (const name of names) {
      const got = await parameters[name].read();
      const scale = scales.get(name)!;
      values[name].forEach((value, k) => {
        // The file has as many digits as the type of the parameter needs.
        const wanted = got instanceof Float64Array ? value : Math.fround(value);
        scale[k] = Math.max(scale[k], Math.abs(wanted));
        const difference = Math.abs(got[k] - wanted);
        if (difference !== 0) worst = Math.max(worst, difference / scale[k]);
      });
    }
  }
  return worst;
}
