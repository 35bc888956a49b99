import type { Metrics } from "./optimizer.js";
import type { ParameterRecord } from "./parameters/parameter-record.js";

/** Reads the metrics of all rules: a number for one that all parameters of a rule share, or one per parameter. */
export async function readMetrics(records: readonly ParameterRecord[]): Promise<Metrics> {
  const metrics: Record<string, number | Record<string, number>> = {};
  const reads = records.flatMap(({ name: parameter, group, update }) =>
    group.context.variant.slots.map(async ({ name, extent, isMetric }, k) => {
      if (!isMetric) return;
      const [value] = await update.slots[k].read();
      if (extent === "all") metrics[name] ??= value;
      else metrics[name] = { ...(metrics[name] as Record<string, number>), [parameter]: value };
    }),
  );
  await Promise.all(reads);
  return metrics;
}
