import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { StepControlState } from "../state/optimizer-state.js";
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
