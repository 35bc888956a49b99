import { GradstepError, show } from "../errors.js";
import { scheduleOfFunction } from "../schedules/compositions.js";
import { isSchedule, isScheduleData, type Schedule } from "../schedules/schedule.js";
import { checkHyperparameter, type Hyperparameter } from "./hyperparameter.js";

/**
 * What a hyperparameter can be set to: a number, or its values over the steps of the optimizer as a schedule or as a
 * function of the number of steps taken (0 at the first).
 */
export type HyperparameterValue = number | Schedule | ((step: number) => number);

/**
 * A checked number, or a schedule, whose values are checked when they are used.
 *
 * @param owner for the message: the name of a rule or a group
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`
 */
export function checkHyperparameterValue(
  owner: string,
  name: string,
  value: unknown,
  range: Hyperparameter,
): number | Schedule {
  if (isSchedule(value)) return value;
  if (typeof value === "function") return scheduleOfFunction(value as (step: number) => number);
  if (isScheduleData(value)) {
    throw new GradstepError(
      `${owner}: ${name} is the data of a schedule (${show(value.schedule)}); expected a schedule. Make it again with optimizerByName(configuration).`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
  return checkHyperparameter(owner, name, value, range);
}
