import "@tensorflow/tfjs-backend-cpu";
import { setBackend, tensor2d, tidy, version_core } from "@tensorflow/tfjs-core";
import type { Stage } from "@gradstep/core";
import type { StageCounterpart } from "./stage-counterpart.js";
import { after, plain, stageSpec } from "./stage-step.js";

/** A constraint of TensorFlow.js, applied to the same values as a stage. */
export interface ConstraintRun {
  readonly version: string;
  readonly there: string;
  /** The largest difference in f32, relative to the largest magnitude. */
  readonly relativeDifference: number;
}

const shape = [32, 24] as const;

/** Values between −2 and 2 whose columns have norms from nearly 0 to about 6. */
const values = Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => {
  const column = i % shape[1];
  return (2 * Math.sin(1.7 * i + 0.3) * column) / shape[1];
});

/** Applies the constraints of TensorFlow.js among the counterparts of a stage. */
export async function constraintRuns(
  stage: Stage,
  counterparts: readonly StageCounterpart[],
): Promise<readonly ConstraintRun[]> {
  await setBackend("cpu");
  return counterparts.flatMap(({ there, settings, constraint }) => {
    if (constraint === undefined) return [];
    const theirs = tidy(() =>
      constraint()
        .apply(tensor2d(values, [...shape]))
        .dataSync(),
    );
    const given = { values: [...values], gradient: Array<number>(values.length).fill(0), shape };
    const ours = after([plain, stageSpec(stage, settings)], given);
    const largest = Math.max(...ours.map(Math.abs));
    const difference = Math.max(...ours.map((value, i) => Math.abs(value - theirs[i])));
    return [{ version: version_core, there, relativeDifference: difference / largest }];
  });
}
