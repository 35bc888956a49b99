import { allocatedBytesPerStep } from "./allocation.js";
import type { Contender, Entrant } from "./contenders/contender.js";
import { type Block, dataFor } from "./data.js";
import { judge } from "./gate.js";
import { median, ratiosTo } from "./statistics.js";
import { type Effort, timeInterleaved } from "./timing.js";
import { parametersIn, type Workload } from "./workloads/workload.js";

/** One contender on one workload. */
export interface Row {
  readonly workload: string;
  /** Parameters. */
  readonly size: number;
  readonly tensors: number;
  readonly contender: string;
  readonly rounds: number;
  /** A step over all tensors. */
  readonly medianNs: number;
  readonly minNs: number;
  /** Own median over each rival's in the same rounds: below 1 is faster than the rival. */
  readonly ratios: Readonly<Record<string, number>>;
  /** What the optimizer holds from step to step, beside parameters and gradients. */
  readonly extraBytesPerParameter: number;
  /** On the JavaScript heap, garbage included. */
  readonly allocatedBytesPerStep: number;
  /** The worst error after the gate's steps; 1 is the tolerance, and null for what takes no steps. */
  readonly worstErrorOverTolerance: number | null;
}

/**
 * Measures all contenders on a workload: first each is judged, then all are timed in turn, then watched for garbage.
 * @throws {WrongResult} before anything is timed
 */
export async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  block: Block,
  expected: Float64Array,
  effort: Effort,
): Promise<Row[]> {
  const data = dataFor(workload, block);
  const size = parametersIn(workload);
  const entrants: Entrant[] = [];
  try {
    const errors: (number | null)[] = [];
    for (const { name, isYardstick = false, start } of contenders) {
      const entrant = await start(data);
      entrants.push(entrant);
      errors.push(isYardstick ? null : await judge(name, entrant, data, expected));
    }
    const times = await timeInterleaved(entrants, effort);
    const medians = new Map(contenders.map(({ name }, i) => [name, median(times[i])]));
    const rows: Row[] = [];
    for (const [i, entrant] of entrants.entries()) {
      const { name } = contenders[i];
      const medianNs = medians.get(name)!;
      rows.push({
        workload: workload.name,
        size,
        tensors: workload.shapes.length,
        contender: name,
        rounds: times[i].length,
        medianNs,
        minNs: Math.min(...times[i]),
        ratios: ratiosTo(name, medians),
        extraBytesPerParameter: (await entrant.stateBytes()) / size,
        allocatedBytesPerStep: await allocatedBytesPerStep(entrant, effort.watchNs / medianNs),
        worstErrorOverTolerance: errors[i],
      });
    }
    return rows;
  } finally {
    for (const entrant of entrants) entrant.dispose();
  }
}
