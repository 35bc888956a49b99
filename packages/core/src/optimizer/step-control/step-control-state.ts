import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { OptimizerState, StepControlState } from "../state/optimizer-state.js";
import type { Reading } from "./guarded-steps.js";
import type { StepControl } from "./step-control.js";

/** What can be copied at once. */
type HostState = Omit<StepControlState, "accumulated">;

/** Copies what is on the host at once, and reads the rest. */
export async function readControlState(
  control: StepControl,
  records: readonly ParameterRecord[],
): Promise<StepControlState> {
  const used = records.filter(({ accumulator }) => accumulator?.isUsed === true);
  const { microSteps, skippedSteps, consecutiveSkips, lossScale, unselectedRows } = control;
  const { callsPerStep } = control;
  const state: HostState = {
    microSteps,
    ...(callsPerStep !== 1 && { callsPerStep }),
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
  const onDevice = used.filter(({ accumulator }) => accumulator!.isSelectedOnDevice);
  // Await all reads together; otherwise one rejection would go unhandled.
  const [sums, rows] = await Promise.all([
    Promise.all(used.map(({ accumulator }) => accumulator!.sum.read())),
    Promise.all(onDevice.map(({ accumulator }) => accumulator!.selected!.read())),
  ]);
  const named = <T>(records: readonly ParameterRecord[], values: readonly T[]): Record<string, T> =>
    Object.fromEntries(records.map(({ name }, i) => [name, values[i]]));
  return {
    ...state,
    rows: { ...state.rows, ...named(onDevice, rows) },
    accumulated: named(used, sums),
  };
}

/**
 * A state without the steps that the host had counted when it made the state, and that the device has not taken.
 * @param counting the parameters whose rows count their steps on the device
 */
export function correctedState(
  state: OptimizerState,
  { counts, untakenSteps, untakenByGroup, persistentScalars, rowSteps }: Reading,
  counting: readonly string[],
): OptimizerState {
  const { skippedSteps, consecutiveSkips, lossScale: scale, goodSteps } = counts;
  const lossScale = state.control?.lossScale && { lossScale: { scale, goodSteps } };
  const ofRows = Object.fromEntries(counting.map((name, i) => [name, rowSteps[i]]));
  return {
    ...state,
    ...(state.rowSteps && { rowSteps: { ...state.rowSteps, ...ofRows } }),
    iterations: state.iterations - untakenSteps,
    groups: state.groups.map((group, i) => ({
      ...group,
      persistentScalars: persistentScalars[i],
      ...(group.iterations !== undefined && { iterations: group.iterations - untakenByGroup[i] }),
    })),
    control: { ...state.control!, skippedSteps, consecutiveSkips, ...lossScale },
  };
}
