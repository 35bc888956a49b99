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
 * @param misfits those at the path of `saved`
 */
export function hyperparametersAt(
  misfits: Misfits,
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
    let value = here;
    if (isSchedule(here) || isScheduleData(there)) {
      if (schedules === "same" && !isSameSchedule(here, there))
        misfits.at(name).add("schedule", described(there), described(here));
    } else if (Object.hasOwn(saved, name)) {
      value = numberAt(misfits.at(name), there, group, name) ?? here;
    } else if (needed.includes(name)) {
      misfits.at(name).add("hyperparameter", "missing", "a number");
    } else {
      // A group follows the optimizer where the state has nothing.
      value = undefined;
    }
    if (value !== undefined) taken.set(name, value);
  }
  return Object.fromEntries(taken);
}

function numberAt(
  misfits: Misfits,
  value: unknown,
  group: Group,
  name: string,
): number | Schedule | undefined {
  try {
    return group.check(name, value);
  } catch (error) {
    if (!(error instanceof GradstepError)) throw error;
    return misfits.add("hyperparameter", show(value), "a valid value", error.message);
  }
}

function isSameSchedule(here: unknown, there: unknown): boolean {
  return JSON.stringify(here) === JSON.stringify(there);
}

function described(value: unknown): string {
  if (value === undefined) return "no schedule";
  return isScheduleData(value)
    ? `the schedule ${value.schedule} ${JSON.stringify(value.options)}`
    : show(value);
}
