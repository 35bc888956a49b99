import type { UnselectedRows } from "../../backend/backend.js";
import { givenMask } from "../rows/row-limit.js";
import { checkRowStepMask } from "../sparse/row-step-updates.js";
import type { ControlledCall } from "./controlled-call.js";

/** Stands for the rows of a sparse gradient. */
const someRows = new Uint32Array(0);

/**
 * Checks, for rows that count their own steps, that the step of the accumulated gradients can be taken: it would be refused
 * after those of the call were added.
 *
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkSumMasks(
  { updates, count, isLazy, all }: ControlledCall,
  unselectedRows: UnselectedRows,
): void {
  for (const record of all) {
    const { name, update, rowSteps, accumulator } = record;
    if (rowSteps === undefined) continue;
    const index = updates.indexOf(update);
    const isInCall = index >= 0 && index < count;
    const ofCall = isInCall && (isLazy(record) ? someRows : givenMask(record));
    // The call has all rows, and so has the step, whatever earlier calls selected.
    if (ofCall === undefined) continue;
    const mask = accumulator?.isUsed === true ? accumulator.mask : ofCall || undefined;
    checkRowStepMask(name, { ...update, mask, unselectedRows });
  }
}
