import type { Metrics, Tensor } from "@gradstep/core";
import type { RecordedRun } from "./recording-reference.js";

/**
 * Finds which metrics of a step are those of which rule: where several rules have one of the same name over all tensors,
 * `optimizer.metrics()` has that of the first parameter.
 *
 * @param parameters all of the optimizer, in its order
 * @param runs of the step
 */
export function metricsByRun(
  parameters: readonly Tensor[],
  runs: readonly RecordedRun[],
  metrics: Metrics = {},
): (run: RecordedRun) => Metrics {
  const owners = new Map<string, RecordedRun>();
  for (const parameter of parameters) {
    const run = runs.find(({ updates }) => updates.some((one) => one.parameter === parameter));
    if (run === undefined) continue;
    for (const { name, isMetric } of run.variant.slots)
      if (isMetric && !owners.has(name)) owners.set(name, run);
  }
  return (run) =>
    Object.fromEntries(
      Object.entries(metrics).filter(
        ([name, value]) => typeof value !== "number" || owners.get(name) === run,
      ),
    );
}
