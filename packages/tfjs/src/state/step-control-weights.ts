import type { StepControlState } from "@gradstep/core";
import { lazyTensor } from "./lazy-tensor.js";
import type { NamedTensor } from "../step/gradients.js";
import { mismatch } from "./mismatch.js";

/** The name of the weight with the counters of `accumulate`, `nonFinite` and `lossScale`. */
export const stepControlName = "gradstep/stepControl";

/** What the names of accumulated gradients end in. Not an identifier, so no slot has this name. */
export const accumulatedSuffix = "accumulated-gradient";

/** The part of the state that one weight holds. */
export type StepControlCounters = Omit<StepControlState, "accumulated" | "rows" | "unselectedRows">;

/** The counters, as numbers of f64, whose bits f32 cannot hold. */
export function stepControlWeight({
  microSteps,
  skippedSteps,
  consecutiveSkips,
  lossScale,
}: StepControlState): NamedTensor {
  const numbers = [microSteps, skippedSteps, consecutiveSkips];
  if (lossScale !== undefined) numbers.push(lossScale.scale, lossScale.goodSteps);
  const bits = new Int32Array(Float64Array.from(numbers).buffer);
  return { name: stepControlName, tensor: lazyTensor(bits, [numbers.length, 2], "int32") };
}

/** @throws {GradstepError} `STATE_MISMATCH` */
export function parseStepControl(values: Float32Array | Int32Array): StepControlCounters {
  const isWhole = values instanceof Int32Array && [6, 10].includes(values.length);
  const numbers = isWhole ? Array.from(new Float64Array(values.slice().buffer)) : [];
  const [microSteps, skippedSteps, consecutiveSkips, scale, goodSteps] = numbers;
  const counts = [microSteps, skippedSteps, consecutiveSkips, goodSteps ?? 0];
  const areCounts = counts.every((count) => Number.isSafeInteger(count) && count >= 0);
  if (!areCounts || (scale !== undefined && !(scale > 0 && scale < Infinity)))
    throw mismatch(
      `weight "${stepControlName}" does not hold numbers of steps and a positive loss scale`,
    );
  return {
    microSteps,
    skippedSteps,
    consecutiveSkips,
    ...(scale !== undefined && { lossScale: { scale, goodSteps } }),
  };
}
