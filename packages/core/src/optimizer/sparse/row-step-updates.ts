import type { RowList, Update } from "../../backend/backend.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { GradstepError } from "../../errors.js";
import type { ResetOptions } from "../reset/reset-options.js";
import type { StepWindow } from "../guarded/row-scalar-sets.js";
import type { RowSteps } from "./row-steps.js";

/**
 * Replaces the update of a parameter whose rows count their own steps by one per number of steps, or by one with the
 * scalars that a device chooses.
 * @param window the steps that may be the next one of a device that decides which steps are taken
 */
export function divideUpdate(
  { update, run, rowSteps }: ParameterRecord,
  window: StepWindow | undefined,
): void {
  const index = run.updates.indexOf(update);
  divide(update, rowSteps!, window);
  // Without rows, the update stays, and has none.
  for (let k = 0; k < rowSteps!.count; k += 1)
    place(rowSteps!.update(k), run, k === 0 ? index : run.count);
}

function place(update: Update, run: KernelRun, index: number): void {
  run.updates[index] = update;
  if (index === run.count) run.count += 1;
}

function divide(update: Update, rowSteps: RowSteps, window: StepWindow | undefined): void {
  const { rows, mask } = update;
  if (rows !== undefined) rowSteps.divide(update, rows as RowList, window);
  else if (mask === undefined) rowSteps.divide(update, rowSteps.all(), window);
  else rowSteps.divide(update, rowSteps.selected(mask as Uint32Array), window);
}

/**
 * Checks that rows that count their own steps can be reset.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkRowStepReset(
  records: readonly ParameterRecord[],
  { rows }: ResetOptions,
): void {
  const counting = records.find(({ rowSteps }) => rowSteps !== undefined);
  if (counting === undefined || rows === undefined || ArrayBuffer.isView(rows)) return;
  throw new GradstepError(
    `rows is a tensor, but each row of "${counting.name}" counts its own steps, on the host; expected a Uint32Array.`,
    { code: "UNSUPPORTED" },
  );
}

/** The error for indices that the host does not know. */
export function indicesOnDevice(name: string): GradstepError {
  return new GradstepError(
    `The indices of gradient "${name}" are a tensor, but each of its rows counts its own steps, on the host; expected a Uint32Array or an Int32Array.`,
    { code: "UNSUPPORTED" },
  );
}

/**
 * Checks that rows that count their own steps can be updated with this mask.
 * @throws {GradstepError} `UNSUPPORTED`
 */
export function checkRowStepMask(name: string, { mask, unselectedRows }: Update): void {
  if (mask === undefined || (ArrayBuffer.isView(mask) && unselectedRows === "keep")) return;
  throw new GradstepError(
    ArrayBuffer.isView(mask)
      ? `unselectedRows is "${unselectedRows}", but each row of "${name}" counts its own steps, so that only selected rows can be updated; expected "keep".`
      : `The mask of "${name}" is a tensor, but each of its rows counts its own steps, on the host; expected a Uint32Array.`,
    { code: "UNSUPPORTED" },
  );
}
