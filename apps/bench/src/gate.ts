import { createOptimizer } from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";
import { hyperparameters, rule } from "./adam.js";
import type { Entrant } from "./contenders/contender.js";
import { type Block, type Data, gradientKinds } from "./data.js";

/** Steps that a contender takes before it is judged. */
export const gateSteps = 4;

/**
 * How far a step may be from the f64 oracle: this part of the learning rate, and two roundings of the parameter.
 * TF.js's 1 − β₂ᵗ in f32 takes a tenth of it; a rate wrong by 0.1 % takes ten times as much.
 */
export const tolerance = { ofLearningRate: 1e-4, ofParameter: 2 * 2 ** -24 } as const;

/** A contender whose parameters are wrong. */
export class WrongResult extends Error {
  override readonly name = "WrongResult";
}

/** The block's parameters after the gate's steps, by gradstep's f64 oracle. */
export function expectedAfterGate({ parameters, gradients }: Block): Float64Array {
  const p = Float64Array.from(parameters);
  const g = gradients.map((kind) => Float64Array.from(kind));
  const optimizer = createOptimizer(rule, { p: oracle().wrap(p) });
  for (let step = 0; step < gateSteps; step += 1) optimizer.step({ p: g[step % gradientKinds] });
  return p;
}

/**
 * Takes the gate's steps and compares every element of every parameter; returns the worst error, in tolerances.
 * @throws {WrongResult} where one is above 1, or not a number
 */
export async function judge(
  name: string,
  entrant: Entrant,
  { workload, offsets }: Data,
  expected: Float64Array,
): Promise<number> {
  await entrant.enter?.();
  for (let step = 0; step < gateSteps; step += 1) entrant.step();
  const tensors = await entrant.read();
  const fromRate = tolerance.ofLearningRate * hyperparameters.learningRate;
  let worst = 0;
  tensors.forEach((values, tensor) => {
    let at = offsets[tensor] % expected.length;
    for (let i = 0; i < values.length; i += 1) {
      const right = expected[at];
      const allowed = gateSteps * (fromRate + tolerance.ofParameter * Math.abs(right));
      const error = Math.abs(values[i] - right) / allowed;
      // In this form, because every comparison with NaN is false.
      if (!(error <= 1)) {
        throw new WrongResult(
          `${name} is wrong on ${workload.name}: after ${gateSteps} steps, value ${i} of tensor ${tensor} is ${values[i]}; expected ${right} ± ${allowed.toExponential(1)}.`,
        );
      }
      if (error > worst) worst = error;
      at = at + 1 === expected.length ? 0 : at + 1;
    }
  });
  return worst;
}
