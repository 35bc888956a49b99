import type { Tensor } from "../backend/backend.js";
import type { Values } from "../backend/memory.js";
import { isTensor } from "../backend/is-tensor.js";
import { checkChoice } from "../check-choice.js";
import { checkOptions } from "../check-options.js";
import { GradstepError, list, show } from "../errors.js";
import {
  checkParameters,
  isOfTensorFlow,
  type Parameters,
} from "../optimizer/parameters/parameter-checks.js";
import { gradientPool } from "../optimizer/parameters/slot-allocation.js";
import { checkNumbers } from "../schedules/schedule.js";
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
  /** How many updates in a row may bring no improvement. 0 if left out. */
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

/** Where early stopping is: plain data, for a checkpoint. */
export interface EarlyStoppingState {
  /** The best number so far; null before the first. */
  readonly best: number | null;
  /** The update with the best number; the first is 0. */
  readonly bestEpoch: number;
  /** Updates so far. */
  readonly epochs: number;
  /** Updates without improvement. */
  readonly wait: number;
  /** The best values by parameter, if there are any. */
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
   * Puts the best values back into the parameters. They are kept, too.
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
      if (best !== null) weights?.write(bestWeights ?? {});
      state = { best, bestEpoch, epochs, wait };
    },
    dispose() {
      weights?.free();
    },
  };
}

/** Copies of parameters, in memory of their backend. */
class BestWeights {
  readonly #parameters: Parameters;
  readonly #copies = new Map<string, Tensor>();

  /** @throws {GradstepError} `INVALID_PARAMETER`, `DISPOSED`, `OVERLAPPING_MEMORY`, `UNSUPPORTED` */
  constructor(parameters: Parameters) {
    const all: Readonly<Record<string, unknown>> = Object(parameters);
    const foreign = Object.keys(all).find(
      (name) => !isTensor(all[name]) && isOfTensorFlow(all[name]),
    );
    if (foreign !== undefined)
      throw new GradstepError(
        `${owner}: "${foreign}" is of TensorFlow.js; expected a tensor of gradstep. Keep clones of model.getWeights() when bestEpoch changes, for model.setWeights().`,
        { code: "INVALID_PARAMETER" },
      );
    checkParameters(parameters);
    const backend = Object.values(parameters).at(0)?.backend;
    if (backend?.copy === undefined && backend !== undefined)
      throw new GradstepError(
        `Backend ${backend.name} cannot copy tensors, which keeping weights needs. Use another backend.`,
        { code: "UNSUPPORTED" },
      );
    this.#parameters = parameters;
  }

  /** Copies the parameters. */
  keep(): void {
    this.#allocate();
    for (const [name, parameter] of Object.entries(this.#parameters))
      parameter.backend.copy!(parameter, this.#copies.get(name)!);
  }

  /** @throws {GradstepError} `INVALID_SHAPE`, `DISPOSED` */
  putBack(): void {
    const all = Object.entries(this.#parameters);
    const other = all.find(([name, { size }]) => size !== this.#copies.get(name)?.size);
    if (other !== undefined) {
      const [name, { shape }] = other;
      const kept = this.#copies.get(name)?.shape;
      throw new GradstepError(
        `${owner}: "${name}" has shape ${show(shape)}, and its best weights ${show(kept)}; expected the same. Rows were moved since, or the weights were freed.`,
        { code: kept === undefined ? "DISPOSED" : "INVALID_SHAPE" },
      );
    }
    for (const [name, parameter] of all)
      parameter.backend.copy!(this.#copies.get(name)!, parameter);
  }

  async read(): Promise<Record<string, Values>> {
    const entries = [...this.#copies].map(
      async ([name, copy]) => [name, await copy.read()] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  /** @throws {GradstepError} `STATE_MISMATCH`, `OUT_OF_MEMORY` */
  write(values: Readonly<Record<string, ArrayLike<number>>>): void {
    for (const [name, { size }] of Object.entries(this.#parameters))
      if (values[name]?.length !== size)
        throw new GradstepError(
          `${owner}: bestWeights has ${show(values[name])} for "${name}"; expected ${size} values. The parameters are ${list(Object.keys(this.#parameters))}.`,
          { code: "STATE_MISMATCH" },
        );
    this.#allocate();
    for (const [name, copy] of this.#copies) copy.write(values[name]);
  }

  free(): void {
    for (const copy of this.#copies.values()) copy.free();
    this.#copies.clear();
  }

  /**
   * Makes tensors of the parameters' shapes, in other buffers: WebGPU copies only from one to another.
   * @throws {GradstepError} `OUT_OF_MEMORY`; then the old ones are kept
   */
  #allocate(): void {
    const made = new Map<string, Tensor>();
    try {
      for (const [name, { backend, shape, size }] of Object.entries(this.#parameters))
        if (this.#copies.get(name)?.size !== size)
          made.set(name, backend.tensor(shape, undefined, gradientPool));
    } catch (error) {
      for (const tensor of made.values()) tensor.free();
      throw error;
    }
    for (const [name, tensor] of made) {
      this.#copies.get(name)?.free();
      this.#copies.set(name, tensor);
    }
  }
}
