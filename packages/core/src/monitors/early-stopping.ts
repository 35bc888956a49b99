import type { Values } from "../backend/memory.js";
import { checkChoice } from "../argument-checks/check-choice.js";
import { checkOptions } from "../argument-checks/check-options.js";
import { GradstepError } from "../errors.js";
import type { Parameters } from "../optimizer/parameters/parameter-checks.js";
import { checkNumbers } from "../schedules/schedule.js";
import { BestWeights } from "./best-weights.js";
import {
  checkCounts,
  checkMonitored,
  checkMonitorState,
  isImprovement,
  monitorModes,
  type MonitorMode,
} from "./improvement.js";

/** Options of `earlyStopping`: the arguments of Keras's `EarlyStopping`, with its defaults. */
export interface EarlyStoppingOptions {
  /** How many consecutive updates may pass without an improvement. 0 if left out. */
  readonly patience?: number | undefined;
  /** `"min"` if left out. */
  readonly mode?: MonitorMode | undefined;
  /** What an improvement must exceed. 0 if left out. */
  readonly minDelta?: number | undefined;
  /** Numbers that are not better than this count as no improvement. None if left out. */
  readonly baseline?: number | undefined;
  /** How many updates to ignore at the beginning. 0 if left out. */
  readonly startFromEpoch?: number | undefined;
  /**
   * Parameters whose best values are kept, in the memory of their backend: 4 bytes per parameter, 8 in f64. None if left
   * out.
   */
  readonly parameters?: Parameters | undefined;
}

/** The state of early stopping: plain data, for a checkpoint. */
export interface EarlyStoppingState {
  /** The best number so far; null before the first. */
  readonly best: number | null;
  /** The update with the best number; the first is 0. */
  readonly bestEpoch: number;
  /** Updates so far. */
  readonly epochs: number;
  /** Updates without improvement. */
  readonly wait: number;
  /** The best values by parameter, if there are any. `restore` also takes what JSON makes of the arrays. */
  readonly bestWeights?: Readonly<Record<string, Values>>;
}

/** Says when a number has stopped improving. Made by `earlyStopping`. */
export interface EarlyStopping {
  /**
   * To be called once per epoch, with the number that was measured. If it is the best one, the parameters of the options
   * are copied as they are now, within the backend.
   * @returns whether to stop
   * @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a number, `DISPOSED`, `OUT_OF_MEMORY`; then nothing has
   * changed
   */
  update(value: number): boolean;
  /** The best number so far; null before the first. */
  readonly best: number | null;
  /** The update with the best number; the first is 0. */
  readonly bestEpoch: number;
  /**
   * Copies the best values back into the parameters.
   * @throws {GradstepError} `UNSUPPORTED` without parameters, or before the first update; `INVALID_SHAPE` if rows were
   * moved since; `DISPOSED`; then nothing has changed
   */
  restoreBestWeights(): void;
  /** A copy of everything, the best values included. */
  state(): Promise<EarlyStoppingState>;
  /** Continues from a state. @throws {GradstepError} `STATE_MISMATCH`, `OUT_OF_MEMORY`; then nothing has changed */
  restore(state: EarlyStoppingState): void;
  /** Frees the best values. */
  dispose(): void;
}

const owner = "earlyStopping";

/**
 * Says to stop when a number has not improved for `patience` updates, as Keras's `EarlyStopping` does, and keeps the best
 * weights. In Keras's terms an update is an epoch, and `parameters` stands for `restore_best_weights`.
 *
 * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`, `INVALID_PARAMETER`, `UNSUPPORTED` (parameters on a
 * backend that cannot copy)
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  checkOptions(owner, options, [
    "patience",
    "mode",
    "minDelta",
    "baseline",
    "startFromEpoch",
    "parameters",
  ]);
  const { patience = 0, mode = "min", minDelta = 0, baseline, startFromEpoch = 0 } = options;
  checkNumbers(owner, { minDelta }, { baseline });
  checkCounts(owner, { patience, startFromEpoch });
  checkChoice(owner, "mode", mode, monitorModes);
  const weights =
    options.parameters === undefined ? undefined : new BestWeights(options.parameters);
  let state = { best: null as number | null, bestEpoch: 0, epochs: 0, wait: 0 };

  return {
    update(value) {
      checkMonitored(owner, value);
      const epoch = state.epochs;
      if (epoch < startFromEpoch) {
        state = { ...state, epochs: epoch + 1 };
        return false;
      }
      const isBest = isImprovement(value, state.best, mode, minDelta);
      if (isBest) weights?.keep();
      const wait = state.wait + 1;
      if (!isBest) {
        state = { ...state, epochs: epoch + 1, wait };
        return wait >= patience && epoch > 0;
      }
      const isAboveBaseline =
        baseline === undefined || isImprovement(value, baseline, mode, minDelta);
      state = {
        best: value,
        bestEpoch: epoch,
        epochs: epoch + 1,
        wait: isAboveBaseline ? 0 : wait,
      };
      return false;
    },
    get best() {
      return state.best;
    },
    get bestEpoch() {
      return state.bestEpoch;
    },
    restoreBestWeights() {
      if (weights === undefined || state.best === null)
        throw new GradstepError(
          `${owner}: there are no best weights; expected parameters in the options, and an update before.`,
          { code: "UNSUPPORTED" },
        );
      weights.putBack();
    },
    async state() {
      const current = { ...state };
      return weights === undefined || current.best === null
        ? current
        : { ...current, bestWeights: await weights.read() };
    },
    restore(saved) {
      checkMonitorState(owner, saved, ["bestEpoch", "epochs", "wait"]);
      const { best, bestEpoch, epochs, wait, bestWeights } = saved;
      if (best !== null) weights?.write(bestWeights);
      state = { best, bestEpoch, epochs, wait };
    },
    dispose() {
      weights?.free();
    },
  };
}
