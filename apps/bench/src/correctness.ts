import { createOptimizer, type OptimizerOptions, type OptimizerSpec } from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { hyperparameters, rule } from "./adam.js";
import type { Expected, RunningContender } from "./contenders/contender.js";
import { type Block, type Data, gradientKinds } from "./data.js";

/** Steps that a contender makes before its parameters are checked. */
export const checkedSteps = 4;

/**
 * How far a step may be from the f64 oracle: this fraction of the learning rate, plus two roundings of the parameter.
 * TF.js's 1 − β₂ᵗ in f32 uses a tenth of it; a learning rate that is off by 0.1 % uses ten times as much.
 */
export const tolerance = { ofLearningRate: 1e-4, ofParameter: 2 * 2 ** -24 } as const;

/** The parameters of a contender are wrong. */
export class WrongResult extends Error {
  override readonly name = "WrongResult";
}

/** For Adam, whose elements do not depend on one another: those of the block, by gradstep's f64 oracle. */
export function expectedOfBlock(expected: Float64Array, { offsets }: Data): Expected {
  return (tensor, element) => expected[(offsets[tensor] + element) % expected.length];
}

/** What differs from a plain step of all tensors. */
interface ExpectedSteps {
  readonly options?: OptimizerOptions;
  /** The gradients of a step, by tensor; those of the workload if left out. */
  readonly gradientsOf?: (step: number) => readonly Float32Array[];
}

/**
 * For a rule whose elements depend on one another: all parameters after `checkedSteps` steps, on the backend in plain
 * JavaScript, whose temporaries are f64 and whose kernels share nothing with those of the others.
 */
export async function expectedOf(
  spec: OptimizerSpec,
  { workload, gradients, parameters }: Data,
  { options = {}, gradientsOf = (step) => gradients[step % gradientKinds] }: ExpectedSteps = {},
): Promise<Expected> {
  const backend = cpuJs();
  const tensors = parameters().map((values, i) =>
    backend.wrap(values, { shape: workload.shapes[i] }),
  );
  const byName = <T>(values: readonly T[]): Record<string, T> =>
    Object.fromEntries(values.map((value, i) => [`tensor${i}`, value]));
  const optimizer = createOptimizer<OptimizerSpec>(spec, byName(tensors), options);
  for (let step = 0; step < checkedSteps; step += 1) optimizer.step(byName(gradientsOf(step)));
  const values = await Promise.all(tensors.map((tensor) => tensor.read()));
  return (tensor, element) => values[tensor][element];
}

/** The block's parameters after `checkedSteps` steps, by gradstep's f64 oracle. */
export function expectedParameters({ parameters, gradients }: Block): Float64Array {
  const p = Float64Array.from(parameters);
  const g = gradients.map((kind) => Float64Array.from(kind));
  const optimizer = createOptimizer(rule, { p: oracle().wrap(p) });
  for (let step = 0; step < checkedSteps; step += 1) optimizer.step({ p: g[step % gradientKinds] });
  return p;
}

/**
 * Makes `checkedSteps` steps and compares every element of every parameter. Returns the largest error, as a multiple of
 * the tolerance.
 *
 * @throws {WrongResult} if an error is above 1, or not a number
 */
export async function checkResult(
  name: string,
  contender: RunningContender,
  { workload }: Data,
  expected: Expected,
): Promise<number> {
  await contender.activate?.();
  for (let step = 0; step < checkedSteps; step += 1) contender.step();
  const tensors = await contender.read();
  const fromRate = tolerance.ofLearningRate * hyperparameters.learningRate;
  let largest = 0;
  tensors.forEach((values, tensor) => {
    for (let i = 0; i < values.length; i += 1) {
      const right = expected(tensor, i);
      const allowed = checkedSteps * (fromRate + tolerance.ofParameter * Math.abs(right));
      const error = Math.abs(values[i] - right) / allowed;
      // Written like this because every comparison with NaN is false.
      if (!(error <= 1)) {
        throw new WrongResult(
          `${name} is wrong on ${workload.name}: after ${checkedSteps} steps, value ${i} of tensor ${tensor} is ${values[i]}; expected ${right} ± ${allowed.toExponential(1)}.`,
        );
      }
      if (error > largest) largest = error;
    }
  });
  return largest;
}
