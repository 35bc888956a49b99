import { checkChoice } from "../argument-checks/check-choice.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError, show } from "../errors.js";
import type { OptimizerConfig } from "../optimizer/optimizer.js";
import { propertyOf } from "../argument-checks/property-of.js";
import { checkNumbers } from "../schedules/schedule.js";
import {
  checkCounts,
  checkMonitored,
  checkMonitorState,
  isImprovement,
  monitorModes,
  type MonitorMode,
} from "./improvement.js";

/** Options of `reduceOnPlateau`: the arguments of Keras's `ReduceLROnPlateau`, with its defaults. */
export interface ReduceOnPlateauOptions {
  /** The factor for the learning rate: at least 0, below 1. 0.1 if left out. */
  readonly factor?: number | undefined;
  /** How many consecutive updates may pass without an improvement. 10 if left out. */
  readonly patience?: number | undefined;
  /** `"min"` if left out. */
  readonly mode?: MonitorMode | undefined;
  /** What an improvement must exceed. 0.0001 if left out. */
  readonly minDelta?: number | undefined;
  /** How many updates after a reduction do not count towards patience. 0 if left out. */
  readonly cooldown?: number | undefined;
  /** The lowest learning rate. 0 if left out. */
  readonly minLearningRate?: number | undefined;
}

/** The state of a plateau monitor: plain data, for a checkpoint. */
export interface PlateauState {
  /** The best number so far; null before the first. */
  readonly best: number | null;
  /** Updates without improvement. */
  readonly wait: number;
  /** Updates until patience is counted again. */
  readonly cooldown: number;
}

/** What an optimizer needs for it: those of `createOptimizer` and of `@gradstep/tfjs` have it. */
export interface OptimizerWithRate {
  learningRate: number;
  readonly groups: readonly object[];
  config?(): Pick<OptimizerConfig, "settings" | "groups">;
}

/** Reduces the learning rate when a number stops improving. Made by `reduceOnPlateau`. */
export interface ReduceOnPlateau {
  /**
   * To be called once per epoch, or whenever the number was measured.
   * @param value a loss, or another number that is monitored
   * @returns whether the learning rate was reduced
   * @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a number, `UNSUPPORTED` if a learning rate follows a
   * schedule, `DISPOSED`; then nothing has changed
   */
  update(value: number): boolean;
  /** A copy. The learning rate is part of the optimizer's state. */
  state(): PlateauState;
  /** Continues from a state. @throws {GradstepError} `STATE_MISMATCH` */
  restore(state: PlateauState): void;
}

/**
 * Multiplies the learning rate by `factor` when a number has not improved for `patience` updates, as Keras's
 * `ReduceLROnPlateau` does: the rate of the optimizer, and those of groups that have one of their own.
 *
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`, `UNSUPPORTED` (a learning rate follows a schedule)
 */
export function reduceOnPlateau(
  optimizer: OptimizerWithRate,
  options: ReduceOnPlateauOptions = {},
): ReduceOnPlateau {
  const owner = "reduceOnPlateau";
  checkOptions(owner, options, [
    "factor",
    "patience",
    "mode",
    "minDelta",
    "cooldown",
    "minLearningRate",
  ]);
  const { factor = 0.1, patience = 10, mode = "min", minDelta = 1e-4 } = options;
  const { cooldown = 0, minLearningRate = 0 } = options;
  checkNumbers(owner, { factor, minDelta, minLearningRate });
  if (factor < 0 || factor >= 1)
    throw new GradstepError(
      `${owner}: factor is ${show(factor)}; expected a number of at least 0 and below 1.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  checkCounts(owner, { patience, cooldown });
  checkChoice(owner, "mode", mode, monitorModes);
  if (typeof propertyOf(optimizer, "learningRate") !== "number")
    throw new GradstepError(
      `${owner}: got ${show(optimizer)} as the optimizer; expected what createOptimizer returns.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  checkIsNoSchedule(optimizer);
  let state: PlateauState = { best: null, wait: 0, cooldown: 0 };

  const reduce = (): boolean => {
    checkIsNoSchedule(optimizer);
    return reduceRates(optimizer, factor, minLearningRate);
  };

  return {
    update(value) {
      checkMonitored(owner, value);
      const left = Math.max(0, state.cooldown - 1);
      const wait = state.cooldown > 0 ? 0 : state.wait;
      if (isImprovement(value, state.best, mode, minDelta)) {
        state = { best: value, wait: 0, cooldown: left };
        return false;
      }
      const waited = left > 0 ? wait : wait + 1;
      const isReduced = left === 0 && waited >= patience && reduce();
      state = isReduced
        ? { ...state, wait: 0, cooldown }
        : { ...state, wait: waited, cooldown: left };
      return isReduced;
    },
    state: () => ({ ...state }),
    restore(saved) {
      checkMonitorState(owner, saved, ["wait", "cooldown"]);
      const { best, wait, cooldown: left } = saved;
      state = { best, wait, cooldown: left };
    },
  };
}

/** Multiplies all rates above the lowest; returns whether there was one. */
function reduceRates(optimizer: OptimizerWithRate, factor: number, lowest: number): boolean {
  const groups = optimizer.groups as readonly { learningRate: number }[];
  const before = groups.map(({ learningRate }) => learningRate);
  const isAbove = optimizer.learningRate > lowest;
  if (isAbove) optimizer.learningRate = Math.max(optimizer.learningRate * factor, lowest);
  // A group without a rate of its own has changed with the optimizer.
  const own = groups.filter(
    ({ learningRate }, i) => learningRate === before[i] && learningRate > lowest,
  );
  for (const group of own) group.learningRate = Math.max(group.learningRate * factor, lowest);
  return isAbove || own.length > 0;
}

/** @throws {GradstepError} `UNSUPPORTED` */
function checkIsNoSchedule(optimizer: OptimizerWithRate): void {
  const { settings, groups } = optimizer.config?.() ?? { settings: {}, groups: [] };
  const rates = [
    settings.learningRate,
    ...groups.map((group) => group.learningRate ?? group.rule?.settings.learningRate),
  ];
  if (rates.every((rate) => typeof rate !== "object")) return;
  throw new GradstepError(
    "reduceOnPlateau: a learning rate follows a schedule, which it would replace; expected numbers. Set learningRate to a number first, or use the schedule alone.",
    { code: "UNSUPPORTED" },
  );
}
