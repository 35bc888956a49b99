import type { GuardCounts } from "../../backend/guard.js";
import type { OptimizerState } from "../state/optimizer-state.js";

/** What the device counted, compared to what the host assumed when it asked. */
export interface Reading {
  readonly counts: GuardCounts;
  /** Steps that the host had counted as taken, and the device has not taken. */
  readonly untakenSteps: number;
  /** The same for each group. */
  readonly untakenByGroup: readonly number[];
  /** The persistent scalars of each group. */
  readonly persistentScalars: readonly Readonly<Record<string, number>>[];
  /** The steps that each row has taken, by the names of the parameters whose rows count them. */
  readonly rowSteps: Readonly<Record<string, Uint32Array>>;
}

/** A state without the steps that the host had counted when it made the state, and that the device has not taken. */
export function correctedState(
  state: OptimizerState,
  { counts, untakenSteps, untakenByGroup, persistentScalars, rowSteps }: Reading,
): OptimizerState {
  const { skippedSteps, consecutiveSkips, lossScale: scale, goodSteps } = counts;
  const lossScale = state.control?.lossScale && { lossScale: { scale, goodSteps } };
  return {
    ...state,
    ...(state.rowSteps && { rowSteps: { ...state.rowSteps, ...rowSteps } }),
    iterations: state.iterations - untakenSteps,
    groups: state.groups.map((group, i) => ({
      ...group,
      persistentScalars: persistentScalars[i],
      ...(group.iterations !== undefined && { iterations: group.iterations - untakenByGroup[i] }),
    })),
    control: { ...state.control!, skippedSteps, consecutiveSkips, ...lossScale },
  };
}
