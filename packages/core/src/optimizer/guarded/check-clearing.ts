import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { Gradients } from "../step/gradients.js";
import { clearingSomeSteps, clearingSums } from "./guard-errors.js";

/**
 * Checks that gradients can be cleared although different groups take part in the steps that may be the next one.
 * @throws {GradstepError} `UNSUPPORTED` for gradients that are summed first, and for an array whose group takes part in
 * some of these steps
 */
export function checkClearing(
  records: readonly ParameterRecord[],
  gradients: Gradients,
  steps: readonly number[],
  accumulate: number,
): void {
  if (accumulate > 1) throw clearingSums();
  for (const { name, group } of records) {
    if (!ArrayBuffer.isView(gradients[name])) continue;
    if (steps.some((t) => group.isDue(t) !== group.isDue(steps[0]))) throw clearingSomeSteps(name);
  }
}
