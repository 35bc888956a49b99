import type { Group } from "../groups/group.js";
import { maxWindowLength } from "./row-scalar-sets.js";

/** For how many steps there are scalars of rows that count their own steps, if they follow a schedule. */
const scheduledRowSteps = 16;

/** For how many steps there are scalars of rows; undefined if no rows count their own steps. */
export function rowStepsKept(groups: readonly Group[]): number | undefined {
  let kept: number | undefined;
  for (const group of groups) {
    if (!group.sparseOptions.rowSteps || kept === scheduledRowSteps) continue;
    kept = group.isScheduled ? scheduledRowSteps : maxWindowLength;
  }
  return kept;
}
