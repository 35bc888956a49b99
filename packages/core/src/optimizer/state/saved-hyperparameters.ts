import { GradstepError, show } from "../../errors.js";
import { isSchedule, isScheduleData, type Schedule } from "../../schedules/schedule.js";
import type { Group } from "../groups/group.js";
import type { RestoreOptions } from "../optimizer.js";
import type { Misfits } from "./misfit.js";
import { own, type Table } from "./state-values.js";

/**
 * The hyperparameters that a group takes from a state: numbers, and schedules of this optimizer. What does not fit stays
 * as it is in the group.
 *
 * @param path of `saved` in the state
 */
export function hyperparametersAt(
  misfits: Misfits,
  path: string,
  saved: Table,
  group: Group,
  schedules: NonNullable<RestoreOptions["schedules"]>,
): Readonly<Record<string, number | Schedule>> {
  const current = new Map(Object.entries(group.ownHyperparameters()));
  const needed = group.hasOwnRule ? Object.keys(group.context.spec.rule.hyperparameters) : [];
  const taken = new Map<string, number | Schedule>();
  for (const name of new Set([...Object.keys(saved), ...needed, ...current.keys()])) {
    const here = current.get(name);
    const there = own(saved, name);
    const isMissing = !Object.hasOwn(saved, name);
    // A group follows the optimizer where the state has nothing.
    if (isMissing && !isSchedule(here) && !needed.includes(name)) continue;
    let value: unknown = there;
    if (isSchedule(here) || isScheduleData(there)) {
      value = here;
      if (schedules === "same" && !isSameSchedule(here, there))
        misfits.add("schedule", `${path}.${name}`, described(there), described(here));
    }
    if (value === undefined && schedules === "code" && isScheduleData(there)) continue;
    const checked = checkedValue(misfits, `${path}.${name}`, group, name, value) ?? here;
    if (checked !== undefined) taken.set(name, checked);
  }
  return Object.fromEntries(taken);
}

function checkedValue(
  misfits: Misfits,
  path: string,
  group: Group,
  name: string,
  value: unknown,
): number | Schedule | undefined {
  // A schedule that the group does not have is a misfit already.
  if (isScheduleData(value) && !isSchedule(value)) return undefined;
  try {
    return group.check(name, value);
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    return misfits.add("hyperparameter", path, described(value), "another value", error.message);
  }
}

function isSameSchedule(here: unknown, there: unknown): boolean {
  return JSON.stringify(here) === JSON.stringify(there);
}

function described(value: unknown): string {
  if (value === undefined) return "missing";
  return isScheduleData(value)
    ? `the schedule ${value.schedule} ${JSON.stringify(value.options)}`
    : show(value);
}
