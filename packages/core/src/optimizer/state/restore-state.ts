import { checkChoice } from "../../argument-checks/check-choice.js";
import { checkOptions } from "../../argument-checks/check-options.js";
import { checkSwitch } from "../../argument-checks/check-switch.js";
import { GradstepError, show } from "../../errors.js";
import { isSchedule } from "../../schedules/schedule.js";
import type { Group } from "../groups/group.js";
import type { RestoreOptions } from "../optimizer.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { rowLimitAt, type RowLimit } from "../rows/row-limit.js";
import {
  checkCallsPerStep,
  controlChange,
  writeControl,
} from "../step-control/restore-step-control.js";
import { Misfits, stateMismatch } from "./misfit.js";
import type { Misfit } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import { isPromise } from "../../argument-checks/is-promise.js";
import type { OptimizerState } from "./optimizer-state.js";
import { rowCountsAt, rowStepsChanges, sameParameters, slotChanges } from "./saved-arrays.js";
import { groupChanges } from "./saved-groups.js";
import { shapeOf, type StateSource } from "./state-source.js";
import { countAt, type Table } from "./state-values.js";

/** What came of a state. */
export interface Restored {
  /** The number of steps. */
  readonly iterations: number;
  /** What was not taken. */
  readonly misfits: readonly Misfit[];
}

/**
 * Replaces hyperparameters, step counts and slots by those of a state.
 *
 * @param iterations the number of steps before
 * @throws {GradstepError} as `optimizer.restore` does; then nothing has changed
 */
export function restoreState(
  { groups, records, control }: StateSource,
  value: OptimizerState,
  options: RestoreOptions,
  iterations: number,
): Restored {
  checkOptions("restore", options, ["schedules", "partial"]);
  const { schedules = "same", partial = false } = options;
  checkChoice("restore", "schedules", schedules, ["same", "code"]);
  checkSwitch("restore", "partial", partial);
  const state = checkedTable(value);
  const misfits = new Misfits();
  const steps = countAt(misfits.at("iterations"), state["iterations"]) ?? iterations;
  const ofGroups = groupChanges(misfits, state, groups, schedules);
  const same = sameParameters(misfits, state, records);
  const ofSlots = slotChanges(misfits, state, same);
  const ofRows = rowStepsChanges(misfits, state, same);
  const ofRowCounts = rowCountsAt(misfits, state, same);
  const ofControl = controlChange(misfits.at("control"), state["control"], control, same);
  if (schedules === "same" && groups.some(hasSchedule))
    checkCallsPerStep(misfits.at("control"), state["control"], control?.callsPerStep ?? 1);
  if (misfits.all.length > 0 && !partial) throw stateMismatch(misfits.all);
  // Memory may run out, so this comes before anything changes.
  for (const record of ofControl.sums.keys()) control?.accumulatorOf(record);
  const limits = [...ofRowCounts].map(([record, count]) => limitOf(record, count));
  for (const { group, hyperparameters, persistentScalars, frozen, iterations: own } of ofGroups) {
    if (hyperparameters !== undefined) group.replace(hyperparameters);
    group.frozen = frozen;
    group.scalars.persistentScalars = { ...group.scalars.persistentScalars, ...persistentScalars };
    group.iterations = own ?? Math.floor(steps / group.every);
  }
  for (const { rowSteps, counts } of ofRows) rowSteps.counts.set(counts);
  for (const { rowSteps } of records) rowSteps?.guarded?.restore();
  for (const { tensor, values } of ofSlots) tensor.write(values);
  same.forEach((record, i) => {
    record.rowLimit = limits[i];
    record.update.mask = limits[i]?.mask;
  });
  if (control !== undefined) writeControl(control, ofControl, records);
  return { iterations: steps, misfits: misfits.all };
}

function hasSchedule(group: Group): boolean {
  return Object.values(group.ownHyperparameters()).some(isSchedule);
}

/** @param count the number of rows; undefined for all */
function limitOf(record: ParameterRecord, count: number | undefined): RowLimit | undefined {
  if (count === undefined) return undefined;
  return rowLimitAt(count, shapeOf(record)[0], record.update.parameter.backend);
}

/** @throws {GradstepError} `STATE_MISMATCH` for a value that is not a state, so that nothing of it can be taken */
function checkedTable(state: unknown): Table {
  if (typeof state === "string")
    throw noState(
      "Got text as the state; expected the object that it was made of: restore(JSON.parse(text)).",
    );
  if (isPromise(state))
    throw noState(
      "Got a Promise as the state; expected what it resolves to: restore(await optimizer.state()).",
    );
  if (!hasNames(state))
    throw noState(`Got ${show(state)} as the state; expected what optimizer.state() resolved to.`);
  if (state["version"] === 1) return state;
  const misfits = new Misfits();
  misfits
    .at("version")
    .add(
      "format",
      show(state["version"]),
      "1",
      "Read states of a later version with that version of gradstep.",
    );
  throw noState(`The state cannot be read: ${misfits.all[0].message}`, misfits);
}

function noState(message: string, { all }: Misfits = new Misfits()): GradstepError {
  return new GradstepError(message, { code: "STATE_MISMATCH", misfits: all });
}
