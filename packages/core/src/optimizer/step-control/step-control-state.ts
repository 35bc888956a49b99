import type { UnselectedRows, Values } from "../../backend/backend.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { checkCount, checkIsTable, fail, slotValues, type OptimizerState } from "../state.js";
import type { Reading } from "./guarded-steps.js";
import type { LossScaleState } from "./loss-scale.js";
import type { StepControl } from "./step-control.js";

/** What the next step depends on because of `accumulate`, `nonFinite` and `lossScale`. */
export interface StepControlState {
  /** Calls since the last step. */
  readonly microSteps: number;
  readonly skippedSteps: number;
  readonly consecutiveSkips: number;
  readonly lossScale?: LossScaleState;
  /** The sum of the gradients of these calls, by parameter. */
  readonly accumulated: Readonly<Record<string, Values>>;
  /** The rows that were selected, by parameter; left out where all were. */
  readonly rows: Readonly<Record<string, Uint32Array>>;
  readonly unselectedRows?: UnselectedRows;
}

/** What can be copied at once. */
type HostState = Omit<StepControlState, "accumulated">;

/** Copies what is on the host at once, and reads the rest. */
export async function readControlState(
  control: StepControl,
  records: readonly ParameterRecord[],
): Promise<StepControlState> {
  const used = records.filter(({ accumulator }) => accumulator?.isUsed === true);
  const { microSteps, skippedSteps, consecutiveSkips, lossScale, unselectedRows } = control;
  const state: HostState = {
    microSteps,
    skippedSteps,
    consecutiveSkips,
    ...(lossScale !== undefined && { lossScale: lossScale.state }),
    rows: Object.fromEntries(
      used.flatMap(({ name, accumulator }) =>
        accumulator!.rows === undefined ? [] : [[name, accumulator!.rows.slice()]],
      ),
    ),
    ...(unselectedRows !== undefined && { unselectedRows }),
  };
  const sums = await Promise.all(used.map(({ accumulator }) => accumulator!.sum.read()));
  return { ...state, accumulated: Object.fromEntries(used.map(({ name }, i) => [name, sums[i]])) };
}

/** The checked content of a state. */
export interface CheckedControlState {
  readonly state: StepControlState | undefined;
  readonly sums: ReadonlyMap<ParameterRecord, ArrayLike<number>>;
}

/** @throws {GradstepError} `STATE_MISMATCH` */
export function checkControlState(
  state: StepControlState | undefined,
  control: StepControl | undefined,
  records: readonly ParameterRecord[],
): CheckedControlState {
  const sums = new Map<ParameterRecord, ArrayLike<number>>();
  if (state === undefined) return { state, sums };
  checkIsTable("control", state);
  checkCount("control.microSteps", state.microSteps);
  checkCount("control.skippedSteps", state.skippedSteps);
  checkCount("control.consecutiveSkips", state.consecutiveSkips);
  checkIsTable("control.accumulated", state.accumulated);
  checkIsTable("control.rows", state.rows);
  const accumulate = control?.options.accumulate ?? 1;
  if (state.microSteps >= accumulate)
    fail(
      `it holds the gradients of ${state.microSteps} calls, and accumulate is ${accumulate}; expected accumulate above ${state.microSteps}`,
    );
  for (const [name, values] of Object.entries(state.accumulated)) {
    const record = records.find((one) => one.name === name);
    if (record === undefined) fail(`accumulated gradients of ${name}, which is unknown here`);
    sums.set(record, slotValues(`the accumulated gradient of ${name}`, values, record.size));
  }
  const scale = state.lossScale;
  if (scale !== undefined && (!(scale.scale > 0) || !(scale.goodSteps >= 0)))
    fail(
      `lossScale is ${scale.scale} after ${scale.goodSteps} good steps; expected a positive scale`,
    );
  return { state, sums };
}

/** Continues from a checked state; without one, with the next call as the first of its step. */
export function writeControlState(
  control: StepControl,
  { state, sums }: CheckedControlState,
  records: readonly ParameterRecord[],
): void {
  control.microSteps = state?.microSteps ?? 0;
  control.skippedSteps = state?.skippedSteps ?? 0;
  control.consecutiveSkips = state?.consecutiveSkips ?? 0;
  control.unselectedRows = state?.unselectedRows;
  if (control.lossScale !== undefined && state?.lossScale !== undefined)
    control.lossScale.state = state.lossScale;
  for (const record of records) {
    const sum = sums.get(record);
    const rows = state?.rows[record.name];
    if (sum !== undefined)
      control.accumulatorOf(record).restore(sum, rows && Uint32Array.from(Object.values(rows)));
    else record.accumulator?.restore(new Float32Array(record.size).fill(-0), undefined, false);
  }
}

/** A state without the steps that the device has skipped, of which the host did not know when it made the state. */
export function correctedState(
  state: OptimizerState,
  { counts, unknownSkips }: Reading,
): OptimizerState {
  const { skippedSteps, consecutiveSkips, lossScale: scale, goodSteps } = counts;
  const lossScale = state.control?.lossScale && { lossScale: { scale, goodSteps } };
  return {
    ...state,
    iterations: state.iterations - unknownSkips,
    groups: state.groups.map((group) => ({
      ...group,
      ...(group.iterations !== undefined &&
        group.frozen !== true && { iterations: group.iterations - unknownSkips }),
    })),
    control: { ...state.control!, skippedSteps, consecutiveSkips, ...lossScale },
  };
}
