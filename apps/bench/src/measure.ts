import { median } from "@gradstep/apps-shared/median";
import { allocatedBytesPerStep } from "./allocation.js";
import type { Contender, RunningContender } from "./contenders/contender.js";
import { type Block, dataFor } from "./data.js";
import { speedupsOver } from "./speedups.js";
import { startContender } from "./start-contender.js";
import { type Budget, timeInterleaved } from "./timing.js";
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
  /** The median of each other contender divided by this one's: above 1, this one is faster. */
  readonly speedups: Readonly<Record<string, number>>;
  /** What the optimizer holds between steps, without parameters and gradients. */
  readonly extraBytesPerParameter: number;
  /** Tensors of TF.js that the optimizer keeps; left out if it does not work on these. */
  readonly heldTensors?: number;
  /** On the JavaScript heap, garbage included. */
  readonly allocatedBytesPerStep: number;
  /** The largest error after the checked steps, as a multiple of the tolerance; null for a baseline. */
  readonly largestErrorOverTolerance: number | null;
}

/** What all workloads are measured with. */
export interface Measurement {
  readonly block: Block;
  /** Of the block, from `expectedParameters`. */
  readonly expected: Float64Array;
  readonly budget: Budget;
}

/**
 * Measures all contenders on a workload: all results are checked, then all contenders are timed in turns, then their
 * allocations are counted.
 *
 * @throws {WrongResult} before anything is timed
 */
export async function measure(
  workload: Workload,
  contenders: readonly Contender[],
  { block, expected, budget }: Measurement,
): Promise<Row[]> {
  const data = dataFor(workload, block);
  const size = parametersIn(workload);
  const running: RunningContender[] = [];
  try {
    const errors: (number | null)[] = [];
    for (const contender of contenders) {
      const started = await startContender(contender, data, expected);
      running.push(started.running);
      errors.push(started.largestErrorOverTolerance);
    }
    const times = await timeInterleaved(running, budget);
    const medians = new Map(contenders.map(({ name }, i) => [name, median(times[i])]));
    const rows: Row[] = [];
    for (const [i, contender] of running.entries()) {
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
        speedups: speedupsOver(name, medians),
        extraBytesPerParameter: (await contender.stateBytes()) / size,
        ...(contender.heldTensors && { heldTensors: contender.heldTensors() }),
        allocatedBytesPerStep: await allocatedBytesPerStep(
          contender,
          budget.allocationNs / medianNs,
        ),
        largestErrorOverTolerance: errors[i],
      });
    }
    return rows;
  } finally {
    for (const contender of running) contender.dispose();
  }
}
