import { checkpointer, type Checkpointer, type CheckpointStore } from "@gradstep/checkpoint";
import { failureOf, failureText, type Digits } from "@gradstep/digits";
import {
  gradstepOptimizer,
  train,
  type SaveTraining,
  type TrainingParts,
} from "@gradstep/digits/training";
import { tfParameters } from "@gradstep/tfjs";
import { scheduleOf } from "../controls/schedule-kinds.js";
import { LiveHyperparameters, type HyperparameterChange } from "./live-hyperparameters.js";
import { readWeights, recognise } from "./network-weights.js";
import { reportFrom, type RunReport } from "./run-report.js";
import type { RunSettings } from "./run-settings.js";
import { TrainingGate } from "./training-gate.js";
import { weightsDigest, type Weights } from "./weights-digest.js";

/** What a finished run achieved. */
export interface RunResult {
  /** Fraction of the held-out digits that the network predicts. */
  readonly accuracy: number;
  /** Mean cross-entropy of the held-out digits, in nats. */
  readonly loss: number;
  /** SHA-256 of the weights. */
  readonly digest: string;
  /** Why the training failed, as a sentence, if it did. */
  readonly failure?: string;
}

/** Receives what happens in a run. */
export interface RunListener {
  onReport(report: RunReport): void;
  /** The training waits, and is saved. */
  onPause(digest: string): void;
}

export interface SessionOptions {
  readonly settings: RunSettings;
  readonly digits: Digits;
  readonly store: CheckpointStore;
  readonly listener: RunListener;
  /** Batches between two saves; 50 if left out. */
  readonly saveEvery?: number;
  /** Milliseconds between two reports; 200 if left out. */
  readonly reportEvery?: number;
}

/**
 * The training of one run on TensorFlow.js's current backend. It goes on from the newest checkpoint of its store, and is
 * saved there, so that it can end at any moment and be continued by another session with the same bits.
 */
export class TrainingSession {
  readonly #options: SessionOptions;
  readonly #gate = new TrainingGate();
  readonly #optimizer: ReturnType<typeof gradstepOptimizer>;
  readonly #hyperparameters: LiveHyperparameters;
  /** Batches that the training takes when it has been resumed. */
  #firstBatches = Infinity;
  #parts: TrainingParts | undefined;
  #checkpoints: Checkpointer | undefined;
  /** Those to evaluate with, of a run that is finished. */
  #finalWeights: Weights | undefined;
  #finalDigest = "";
  #reported = 0;
  #lastReport = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { optimizer, rule, clip, ema } = options.settings;
    const { learningRate, ...ruleSettings } = Object.fromEntries(
      Object.entries(rule).map(([name, value]) => [
        name,
        typeof value === "object" ? scheduleOf(value) : value,
      ]),
    );
    this.#optimizer = gradstepOptimizer(
      { optimizer, ruleSettings, clip, ema, accumulate: 1 },
      learningRate as number,
    );
    this.#hyperparameters = new LiveHyperparameters(this.#optimizer);
    this.#gate.onPause = () => void this.#paused();
  }

  /**
   * Trains to the last epoch.
   * @param batches after which it pauses
   */
  async run(batches = Infinity): Promise<RunResult> {
    this.#firstBatches = batches;
    const { settings, digits } = this.#options;
    const run = await train({
      optimizer: this.#optimizer,
      digits,
      settings,
      observer: { onBatch: () => this.#report(), onEpoch: () => this.#report(true) },
      turns: this.#gate,
      save: this.#saves(),
    });
    const failure = failureOf(run);
    return {
      accuracy: run.evaluation.accuracy,
      loss: run.evaluation.loss,
      digest: this.#finalDigest,
      ...(failure && { failure: failureText(failure) }),
    };
  }

  /** Pauses before the next batch, and saves. */
  pause(): void {
    this.#firstBatches = 0;
    this.#gate.close();
  }

  /** Goes on, for that number of batches. */
  continue(batches = Infinity): void {
    this.#firstBatches = batches;
    this.#gate.open(batches);
  }

  /**
   * Sets a hyperparameter for all later steps.
   * @returns all changes so far
   * @throws {GradstepError} `INVALID_HYPERPARAMETER`, `UNKNOWN_OPTION`; then nothing has changed
   */
  setHyperparameter(
    name: string,
    value: HyperparameterChange["value"],
  ): readonly HyperparameterChange[] {
    const batch = this.#parts?.progress.losses.length ?? 0;
    this.#hyperparameters.set({ batch, name, value });
    return this.#hyperparameters.state();
  }

  /** The probabilities of the ten classes for a picture of 784 pixels. Works while the training goes on, and afterwards. */
  async recognise(pixels: Float32Array): Promise<Float32Array> {
    const { seed } = this.#options.settings;
    return recognise(pixels, this.#finalWeights ?? (await this.#evaluationWeights()), seed);
  }

  /** Saves the run as it is, unless it is being evaluated: then its last checkpoint is at most `saveEvery` batches old. */
  async save(): Promise<void> {
    if (this.#finalWeights !== undefined || this.#optimizer.isSwapped === true) return;
    await this.#checkpoints?.save();
  }

  #saves(): SaveTraining {
    return (parts) => {
      const { store, saveEvery = 50 } = this.#options;
      const { network, digits, progress } = parts;
      this.#parts = parts;
      const others = { digits, progress, hyperparameters: this.#hyperparameters };
      const checkpoints = checkpointer(this.#optimizer, tfParameters(network), {
        store,
        every: saveEvery,
        keep: 2,
        others,
      });
      let resumed = -1;
      return {
        start: async () => {
          // The schedules are those of the settings; then come the changes.
          const found = await checkpoints.resume({ schedules: "code" });
          this.#checkpoints = checkpoints;
          if (found !== undefined) resumed = progress.losses.length;
          this.#followPlan();
          this.#report(true);
          this.#gate.open(this.#firstBatches);
        },
        afterBatch: () => {
          this.#followPlan();
          checkpoints.afterStep();
        },
        end: async () => {
          this.#report(true);
          if (progress.losses.length !== resumed) await checkpoints.save();
          await checkpoints.close();
          this.#finalDigest = await weightsDigest(await readWeights(network));
          this.#finalWeights = await this.#evaluationWeights();
        },
      };
    };
  }

  /** Makes the changes of the settings that come now. */
  #followPlan(): void {
    const { changes = [] } = this.#options.settings;
    this.#hyperparameters.follow(changes, this.#parts!.progress.losses.length);
  }

  async #paused(): Promise<void> {
    this.#report(true);
    const [digest] = await Promise.all([
      readWeights(this.#parts!.network).then(weightsDigest),
      this.save(),
    ]);
    this.#options.listener.onPause(digest);
  }

  /** The averages of the weights, where the optimizer keeps them. */
  async #evaluationWeights(): Promise<Weights> {
    const optimizer = this.#optimizer;
    const { keepsAverages, iterations, isSwapped } = optimizer;
    const swaps = keepsAverages === true && iterations > 0 && isSwapped !== true;
    if (swaps) optimizer.swap!();
    // Copies at the time of the call.
    const reading = readWeights(this.#parts!.network);
    if (swaps) optimizer.swap!();
    return reading;
  }

  #report(isDue = false): void {
    const { listener, reportEvery = 200 } = this.#options;
    const now = performance.now();
    if (!isDue && now - this.#lastReport < reportEvery) return;
    this.#lastReport = now;
    const { progress } = this.#parts!;
    const { losses, learningRates, history } = progress;
    const { seconds } = progress.stopwatch;
    const report = { losses, learningRates, history, seconds };
    listener.onReport(reportFrom(this.#reported, report, this.#hyperparameters.changes));
    this.#reported = losses.length;
  }
}
