import type { Group } from "./groups/group.js";
import type { ParameterRecord } from "./parameters/parameter-record.js";
import {
  isSchedule,
  isScheduleData,
  type Schedule,
  type ScheduleData,
} from "../schedules/schedule.js";
import type { StepControl } from "./step-control/step-control.js";
import {
  checkControlState,
  readControlState,
  writeControlState,
} from "./step-control/step-control-state.js";
import type { RestoreOptions } from "./optimizer.js";
import {
  checkRowSteps,
  checkState,
  fail,
  type OptimizerState,
  type SlotOutline,
  type StateOutline,
} from "./state.js";

/** The parts of an optimizer that its state is made of. */
export interface StateSource {
  /** The optimizer's own group first. */
  readonly groups: readonly Group[];
  readonly records: readonly ParameterRecord[];
  readonly control: StepControl | undefined;
}

/** A slot of a parameter, with its index among all slots. */
interface SavedSlot extends SlotOutline {
  readonly index: number;
}

/** The slots of a parameter that are part of the state: metrics are not. */
function savedSlots({ group, update }: ParameterRecord): readonly SavedSlot[] {
  return group.context.variant.slots.flatMap(({ name, isMetric }, index) =>
    isMetric ? [] : [{ name, index, size: update.slots[index].size }],
  );
}

/** The shape that a parameter had when this optimizer saw it last; another one may have moved its rows since. */
function shapeOf({ update, size }: ParameterRecord): readonly number[] {
  const { shape } = update.parameter;
  const [, ...rest] = shape;
  return shape.length === 0 ? shape : [size / rest.reduce((product, n) => product * n, 1), ...rest];
}

function countingRows(records: readonly ParameterRecord[]): readonly ParameterRecord[] {
  return records.filter(({ rowSteps }) => rowSteps !== undefined);
}

/** Copies everything the next step depends on, apart from the values of the parameters. */
export async function readState(
  { groups, records, control }: StateSource,
  iterations: number,
): Promise<OptimizerState> {
  const [defaults] = groups;
  const { rule, options } = defaults.context.spec;
  const counting = countingRows(records);
  // Everything on the host is copied now, so that steps taken before the reads resolve do not change it.
  const state = {
    version: 1 as const,
    rule: rule.name,
    options: { ...options },
    hyperparameters: defaults.ownHyperparameters(),
    iterations,
    shapes: Object.fromEntries(records.map((record) => [record.name, [...shapeOf(record)]])),
    ...(counting.length > 0 && {
      rowSteps: Object.fromEntries(
        counting.map(({ name, rowSteps }) => [name, rowSteps!.counts.slice()]),
      ),
    }),
    groups: groups.map((group) => ({
      parameters: [...group.parameters],
      iterations: group.iterations,
      hyperparameters: group === defaults ? {} : group.ownHyperparameters(),
      persistentScalars: group.scalars.persistentScalars,
      ...(group.frozen ? { frozen: true } : {}),
      ...(group.context === defaults.context
        ? {}
        : { rule: group.context.spec.rule.name, options: { ...group.context.spec.options } }),
    })),
  };
  const reads = records.map(async (record) => {
    const saved = savedSlots(record);
    const arrays = await Promise.all(saved.map(({ index }) => record.update.slots[index].read()));
    return [record.name, Object.fromEntries(saved.map(({ name }, i) => [name, arrays[i]]))];
  });
  // Await all reads together; otherwise one rejection would go unhandled.
  const controlled = control && readControlState(control, records);
  const slots = Object.fromEntries(await Promise.all(reads)) as OptimizerState["slots"];
  return { ...state, slots, ...(controlled && { control: await controlled }) };
}

/**
 * Replaces hyperparameters, step counts and slots by those of a state.
 * @returns the number of steps
 * @throws {GradstepError} as `optimizer.restore` does; then nothing has changed
 */
export function writeState(
  { groups, records, control }: StateSource,
  state: OptimizerState,
  { schedules = "same" }: RestoreOptions,
): number {
  const [defaults] = groups;
  const { rule, options } = defaults.context.spec;
  const outline: StateOutline = {
    rule: rule.name,
    options,
    groups: groups.map(({ parameters, context }) => ({
      parameters,
      persistentScalars: Object.keys(context.variant.persistentScalars),
      rule: context === defaults.context ? undefined : context.spec.rule.name,
      options: context === defaults.context ? undefined : context.spec.options,
    })),
    shapes: new Map(records.map((record) => [record.name, shapeOf(record)])),
    slots: new Map(records.map((record) => [record.name, savedSlots(record)])),
    rowSteps: new Map(
      countingRows(records).map(({ name, rowSteps }) => [name, rowSteps!.counts.length]),
    ),
  };
  const slots = checkState(state, outline);
  const rowSteps = checkRowSteps(state, outline.rowSteps);
  const overrides = groups.map((group, i) =>
    group === defaults ? state.hyperparameters : state.groups[i].hyperparameters,
  );
  const values = groups.map((group, i) => resolved(group, overrides[i], schedules));
  groups.forEach((group, i) => {
    const needed = group.hasOwnRule ? Object.keys(group.context.spec.rule.hyperparameters) : [];
    for (const name of new Set([...Object.keys(values[i]), ...needed]))
      group.check(name, values[i][name]);
    group.checkFrozen(state.groups[i].frozen ?? false);
  });
  const controlled = checkControlState(state.control, control, records);
  groups.forEach((group, i) => {
    group.replace(values[i]);
    const { persistentScalars, iterations, frozen = false } = state.groups[i];
    group.frozen = frozen;
    group.scalars.persistentScalars = persistentScalars;
    group.iterations = iterations ?? Math.floor(state.iterations / group.every);
  });
  for (const [name, steps] of rowSteps)
    records.find((record) => record.name === name)!.rowSteps!.counts.set(steps);
  for (const record of records) {
    savedSlots(record).forEach(({ index }, i) => {
      record.update.slots[index].write(slots.get(record.name)![i]);
    });
  }
  if (control !== undefined) writeControlState(control, controlled, records);
  return state.iterations;
}

/** The values that a group takes from a state: numbers, and schedules of this optimizer. */
function resolved(
  group: Group,
  saved: Readonly<Record<string, number | ScheduleData>>,
  schedules: "same" | "code",
): Record<string, number | Schedule> {
  const current: Readonly<Record<string, number | Schedule>> = group.ownHyperparameters();
  const values: Record<string, number | Schedule> = {};
  for (const [name, value] of Object.entries(saved)) {
    const own = current[name];
    if (!isSchedule(own) && !isScheduleData(value)) values[name] = value;
    else if (schedules === "code" || JSON.stringify(own) === JSON.stringify(value))
      values[name] = own;
    else
      fail(
        `${name} follows ${described(value)} in the state, and ${described(own)} here; to go on with what is here, use restore(state, { schedules: "code" })`,
      );
  }
  return values;
}

function described(value: number | ScheduleData | undefined): string {
  return isScheduleData(value)
    ? `${value.schedule} ${JSON.stringify(value.options)}`
    : String(value);
}
