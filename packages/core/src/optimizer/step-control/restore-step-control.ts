import type { UnselectedRows } from "../../backend/backend.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { alternatives, show } from "../../errors.js";
import { hasNames } from "../../argument-checks/has-names.js";
import type { Misfits } from "../state/misfit.js";
import {
  countAt,
  numbersAt,
  own,
  rowValuesAt,
  tableAt,
  type Table,
} from "../state/state-values.js";
import { unselectedRowsValues } from "../step/step-options.js";
import type { LossScaleState } from "./loss-scale.js";
import type { StepControl } from "./step-control.js";

/** What the step control takes from a state. */
export interface ControlChange {
  readonly microSteps: number;
  readonly skippedSteps: number;
  readonly consecutiveSkips: number;
  readonly lossScale: LossScaleState | undefined;
  readonly unselectedRows: UnselectedRows | undefined;
  /** The accumulated gradients. */
  readonly sums: ReadonlyMap<ParameterRecord, AccumulatedGradient>;
}

interface AccumulatedGradient {
  readonly values: ArrayLike<number>;
  readonly rows: Uint32Array | undefined;
}

/**
 * Checks that schedules go on where they were: they are at the number of steps times the calls of each.
 * @param misfits those at the path `control`
 * @param expected by how much they advance in a step here
 */
export function checkCallsPerStep(misfits: Misfits, state: unknown, expected: number): void {
  const table = hasNames(state) ? state : {};
  const saved = own(table, "callsPerStep") ?? 1;
  if (saved === expected) return;
  misfits
    .at("callsPerStep")
    .add(
      "schedule",
      show(saved),
      show(expected),
      'Make the optimizer with the options accumulate and schedulesCount of the state; or use { schedules: "code" }, with which schedules move.',
    );
}

/** What the next call begins with if a state has nothing else. */
const firstCall: ControlChange = {
  microSteps: 0,
  skippedSteps: 0,
  consecutiveSkips: 0,
  lossScale: undefined,
  unselectedRows: undefined,
  sums: new Map(),
};

/**
 * What the step control takes from `state.control`. If some of the accumulated gradients do not fit, it takes none: the
 * sum of fewer calls would be another step.
 *
 * @param misfits those at the path `control`
 * @param records those with the shape of the state
 */
export function controlChange(
  misfits: Misfits,
  state: unknown,
  control: StepControl | undefined,
  records: readonly ParameterRecord[],
): ControlChange {
  if (state === undefined) return firstCall;
  const table = tableAt(misfits, state);
  if (table !== state) return firstCall;
  const before = misfits.all.length;
  const microSteps = countAt(misfits.at("microSteps"), own(table, "microSteps")) ?? 0;
  const accumulate = control?.options.accumulate ?? 1;
  if (microSteps >= accumulate)
    misfits
      .at("microSteps")
      .add(
        "control",
        `${microSteps}`,
        `fewer than accumulate, which is ${accumulate}`,
        `Make the optimizer with accumulate above ${microSteps}.`,
      );
  const sums = accumulatedAt(misfits, table, records);
  const unselectedRows = unselectedRowsAt(misfits, own(table, "unselectedRows"));
  const lossScale = lossScaleAt(misfits, own(table, "lossScale"));
  const savedScale = lossScale?.scale ?? 1;
  const ownScale = control?.lossScale;
  if (lossScale !== undefined && ownScale === undefined)
    misfits.at("lossScale").add("control", `a scale of ${savedScale}`, "no loss scale");
  const scale = ownScale === undefined ? savedScale : (lossScale ?? ownScale.initial).scale;
  // The next step divides the whole sum by one scale.
  if (microSteps > 0 && scale !== savedScale)
    misfits
      .at("lossScale")
      .add(
        "control",
        `${savedScale}, by which the accumulated gradients are multiplied`,
        `${scale}`,
      );
  const areWhole = misfits.all.length === before;
  const count = (name: "skippedSteps" | "consecutiveSkips"): number =>
    countAt(misfits.at(name), own(table, name)) ?? 0;
  return {
    ...firstCall,
    skippedSteps: count("skippedSteps"),
    consecutiveSkips: count("consecutiveSkips"),
    lossScale,
    ...(areWhole && { microSteps, unselectedRows, sums }),
  };
}

function accumulatedAt(
  misfits: Misfits,
  table: Table,
  records: readonly ParameterRecord[],
): ReadonlyMap<ParameterRecord, AccumulatedGradient> {
  const all = tableAt(misfits.at("accumulated"), own(table, "accumulated"));
  const allRows = tableAt(misfits.at("rows"), own(table, "rows"));
  const sums = new Map<ParameterRecord, AccumulatedGradient>();
  for (const name of Object.keys(all)) {
    const ofSum = misfits.at(`accumulated.${name}`);
    const record = records.find((one) => one.name === name);
    if (record === undefined) {
      ofSum.add("control", show(all[name]), "the gradient of a parameter that fits");
      continue;
    }
    const values = numbersAt(ofSum, "control", all[name], record.size);
    const [count = 1] = record.update.parameter.shape;
    const selected = own(allRows, name);
    const rows =
      selected === undefined
        ? undefined
        : rowValuesAt(misfits.at(`rows.${name}`), "control", selected, count);
    if (values !== undefined) sums.set(record, { values, rows });
  }
  for (const name of Object.keys(allRows))
    if (!Object.hasOwn(all, name))
      misfits.at(`rows.${name}`).add("control", show(allRows[name]), "an accumulated gradient");
  return sums;
}

function unselectedRowsAt(misfits: Misfits, value: unknown): UnselectedRows | undefined {
  if (value === undefined || unselectedRowsValues.includes(value)) return value as UnselectedRows;
  const expected = alternatives(unselectedRowsValues);
  return misfits.at("unselectedRows").add("format", show(value), expected);
}

function lossScaleAt(misfits: Misfits, value: unknown): LossScaleState | undefined {
  if (value === undefined) return undefined;
  const { scale, goodSteps } = (hasNames(value) ? value : {}) as Partial<LossScaleState>;
  if (typeof scale === "number" && scale > 0 && Number.isSafeInteger(goodSteps) && goodSteps! >= 0)
    return { scale, goodSteps: goodSteps! };
  const got = hasNames(value)
    ? `a scale of ${show(scale)} after ${show(goodSteps)} good steps`
    : show(value);
  return misfits.at("lossScale").add("format", got, "a positive scale and a count of steps");
}

/** Continues from these values; without accumulated gradients, the next call is the first of its step. */
export function writeControl(
  control: StepControl,
  change: ControlChange,
  records: readonly ParameterRecord[],
): void {
  control.microSteps = change.microSteps;
  control.skippedSteps = change.skippedSteps;
  control.consecutiveSkips = change.consecutiveSkips;
  control.unselectedRows = change.unselectedRows;
  if (control.lossScale !== undefined)
    control.lossScale.state = change.lossScale ?? control.lossScale.initial;
  for (const record of records) {
    const sum = change.sums.get(record);
    if (sum !== undefined) control.accumulatorOf(record).restore(sum.values, sum.rows);
    else record.accumulator?.restore(new Float32Array(record.size).fill(-0), undefined, false);
  }
}
