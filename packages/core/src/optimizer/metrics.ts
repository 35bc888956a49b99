import type { Values } from "../backend/memory.js";
import type { Metrics } from "./optimizer.js";
import type { ParameterRecord } from "./parameters/parameter-record.js";

/** Reads the metrics of all rules: a number for one that all tensors share, or one per parameter. */
export async function readMetrics(records: readonly ParameterRecord[]): Promise<Metrics> {
  const metrics: Record<string, number | Record<string, number>> = {};
  const reads: Promise<void>[] = [];
  const shared = new Set<string>();
  for (const { name: parameter, group, update } of lastStepFirst(records))
    for (const [k, { name, extent, isMetric }] of group.context.variant.slots.entries()) {
      if (!isMetric || shared.has(name)) continue;
      if (extent === "all") shared.add(name);
      const set = ([value]: Values): void => {
        metrics[name] =
          extent === "all"
            ? value
            : { ...(metrics[name] as Record<string, number>), [parameter]: value };
      };
      reads.push(update.slots[k].read().then(set));
    }
  await Promise.all(reads);
  return metrics;
}

/** Rules that had no gradient in the last step have what an earlier one measured. */
function lastStepFirst(records: readonly ParameterRecord[]): readonly ParameterRecord[] {
  const hasStepped = ({ run }: ParameterRecord): boolean => run.count > 0;
  return [...records.filter(hasStepped), ...records.filter((one) => !hasStepped(one))];
}
