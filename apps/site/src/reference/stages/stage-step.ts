import {
  chain,
  createOptimizer,
  sgd,
  type ChainPart,
  type OptimizerSpec,
  type Stage,
  type StageSpec,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";

/** The values of a parameter, and its gradient. */
export interface Given {
  readonly values: readonly number[];
  readonly gradient: readonly number[];
  /** One row if left out. */
  readonly shape?: readonly number[];
}

/** Gradient descent with learning rate 1: its update is the gradient. */
export const plain: OptimizerSpec = sgd({ learningRate: 1 });

/** The parameters after one step of a chain, in f32. */
export function parametersAfter(
  parts: readonly ChainPart[],
  given: Readonly<Record<string, Given>>,
): Readonly<Record<string, readonly number[]>> {
  const backend = reference();
  const tensors = Object.fromEntries(
    Object.entries(given).map(([name, { values, shape }]) => [
      name,
      backend.tensor(shape ?? [values.length], values),
    ]),
  );
  const optimizer = createOptimizer(chain(...parts), tensors);
  optimizer.step(
    Object.fromEntries(
      Object.entries(given).map(([name, { gradient }]) => [name, Float32Array.from(gradient)]),
    ),
  );
  const result = Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, [...tensor.view!()]]),
  );
  optimizer.dispose();
  return result;
}

/** The values of one parameter after one step of a chain. */
export function after(parts: readonly ChainPart[], given: Given): readonly number[] {
  return parametersAfter(parts, { given }).given;
}

/** What one step of a chain subtracts from a parameter. */
export function updateOf(parts: readonly ChainPart[], given: Given): readonly number[] {
  const values = Float32Array.from(given.values);
  return after(parts, given).map((value, i) => values[i] - value);
}

/** A stage with settings, by what lists of stages hold. */
export function stageSpec(
  stage: Stage,
  settings: Readonly<Record<string, unknown>> = {},
): StageSpec {
  const { hyperparameters, options } = stage.specify(settings);
  return { stage, hyperparameters, options };
}
