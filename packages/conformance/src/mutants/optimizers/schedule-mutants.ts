import {
  createOptimizer,
  type OptimizerOptions,
  type OptimizerSpec,
  type Schedule,
  type StepOptions,
} from "@gradstep/core";
import { target } from "../mutable-target.js";
import type { Mutant } from "../mutant.js";
import { withOptions, without, wrapping } from "./changed-optimizers.js";

/** Optimizers whose schedules have other values. */
function rescheduled(
  name: string,
  valueAt: (schedule: Schedule, step: number) => number,
  isAffected: (options: OptimizerOptions) => boolean = () => true,
): Mutant {
  const changed = <T extends object>(values: T): T =>
    Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        isSchedule(value) ? (step: number) => valueAt(value, step) : value,
      ]),
    ) as T;
  const changedSpec = (spec: OptimizerSpec): OptimizerSpec => ({
    ...spec,
    hyperparameters: changed(spec.hyperparameters),
  });
  const create: typeof createOptimizer = (spec, parameters, options = {}) => {
    if (!isAffected(options as OptimizerOptions)) return createOptimizer(spec, parameters, options);
    return createOptimizer(changedSpec(spec) as typeof spec, parameters, {
      ...options,
      groups: (options.groups ?? []).map((group) =>
        "rule" in group && group.rule !== undefined
          ? { ...group, rule: changedSpec(group.rule as OptimizerSpec) }
          : changed(group),
      ) as typeof options.groups & object,
    });
  };
  return { name, kind: "optimizer", target: () => target({ create }) };
}

function isSchedule(value: unknown): value is Schedule {
  return value !== null && typeof value === "object" && "valueAt" in value;
}

/** What schedules count, and the rows of calls that make one step. */
export const scheduleMutants: readonly Mutant[] = [
  rescheduled("schedules are one step ahead", (schedule, step) => schedule.valueAt(step + 1)),
  rescheduled("schedules stay at their first value", (schedule) => schedule.valueAt(0)),
  rescheduled("schedules count every second step", (schedule, step) =>
    schedule.valueAt(Math.floor(step / 2)),
  ),
  rescheduled(
    "schedules stay at their first value where rows count their own steps",
    (schedule) => schedule.valueAt(0),
    ({ rowSteps }) => rowSteps === true,
  ),
  withOptions("schedules never count calls", (options) => without(options, "schedulesCount")),
  withOptions("schedules always count calls", (options) =>
    (options.accumulate ?? 1) > 1 ? { ...options, schedulesCount: "calls" } : options,
  ),
  wrapping("what happens to other rows is said by the last call of a step", (optimizer) => ({
    step: (gradients, options) => {
      const { accumulate = 1 } = optimizer.config();
      const isLast = optimizer.microSteps === accumulate - 1;
      const { unselectedRows, ...others } = options ?? {};
      const isSaid = unselectedRows !== undefined && (accumulate === 1 || isLast);
      optimizer.step(gradients, isSaid ? { ...others, unselectedRows } : others);
    },
  })),
  wrapping("the rows of a step are those of its first call", (optimizer) => {
    let first: StepOptions["rows"];
    return {
      step: (gradients, options) => {
        if ((optimizer.config().accumulate ?? 1) === 1) {
          optimizer.step(gradients, options);
          return;
        }
        if (optimizer.microSteps === 0) first = options?.rows;
        const { rows: _, ...others } = options ?? {};
        optimizer.step(gradients, first === undefined ? others : { ...others, rows: first });
      },
    };
  }),
];
