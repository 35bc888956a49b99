import {
  indexedDbStore,
  memoryStore,
  newestCheckpoint,
  type CheckpointStore,
} from "@gradstep/checkpoint";
import { GradstepError } from "@gradstep/core";
import { pixelsPerDigit, type DigitSet } from "@gradstep/digits";
import { expose, transfer } from "comlink";
import type { NamedSettings } from "./comparisons.js";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import { loadDigits } from "./load-digits.js";
import { runFile, storeRunFile } from "./run-file.js";
import { asRunInUse } from "./run-in-use.js";
import { reportFrom, type Progress, type RunReport } from "./run-report.js";
import type { RunSettings } from "./run-settings.js";
import type { RunListener, RunResult, TrainingSession } from "./training-session.js";

const storeOf = (id: string): CheckpointStore => indexedDbStore(`train-${id}`);

/** The store of a run; undefined where the page may store nothing. */
async function allowedStoreOf(id: string): Promise<CheckpointStore | undefined> {
  const store = storeOf(id);
  try {
    await store.list();
    return store;
  } catch (error) {
    if (error instanceof GradstepError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}

let session: TrainingSession | undefined;
/** That of the session. */
let sessionStore: CheckpointStore | undefined;
let heldOut: DigitSet | undefined;
/** Whether the run was paused before it had its session. */
let isPausedAtFirst = false;

/** The training of one run, in a worker of its own. */
const trainingWorker = {
  /** What is saved of a run; undefined if there is nothing. Loads no more than that. */
  async saved(id: string): Promise<RunReport | undefined> {
    const store = await allowedStoreOf(id);
    const { others } = (store && (await newestCheckpoint(store)))?.checkpoint ?? {};
    if (others === undefined) return undefined;
    return reportFrom(
      0,
      others.progress as Progress,
      others.hyperparameters as HyperparameterChange[],
    );
  },

  /** The newest checkpoint of a run as a file; undefined if nothing is saved. */
  async file(id: string, run: NamedSettings): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const file = await runFile(sessionStore ?? storeOf(id), run);
    return file && transfer(file, [file.buffer]);
  },

  /** Saves the checkpoint of a file as that of a new run. @returns its name and settings */
  storeFile: (id: string, file: Uint8Array) => storeRunFile(file, storeOf(id)),

  /** Removes what is saved of a run. */
  async remove(id: string): Promise<void> {
    const store = await allowedStoreOf(id);
    if (store === undefined) return;
    // Another tab that has the run open closes it now; if it does not, the run is removed all the same.
    const lock = await store.lock?.().catch(() => undefined);
    for (const checkpoint of await store.list()) await store.remove(checkpoint);
    lock?.release();
  },

  /**
   * Trains to the last epoch, from where the run was saved.
   * @param batches after which it pauses
   */
  async run(
    id: string,
    settings: RunSettings,
    batches: number,
    listener: RunListener & {
      /** The page may store nothing: the run ends with its tab. */
      onNotKept(): void;
    },
  ): Promise<RunResult> {
    // TensorFlow.js is loaded only here.
    const [{ startTfjs }, { TrainingSession: Session }, digits] = await Promise.all([
      import("./tfjs-backend.js"),
      import("./training-session.js"),
      loadDigits(),
    ]);
    ({ heldOut } = digits);
    await startTfjs(settings.backend);
    const store = await allowedStoreOf(id);
    if (store === undefined) listener.onNotKept();
    sessionStore = store ?? memoryStore();
    session = new Session({ settings, digits, store: sessionStore, listener });
    try {
      return await session.run(isPausedAtFirst ? 0 : batches);
    } catch (error) {
      throw asRunInUse(error);
    }
  },

  pause(): void {
    if (session === undefined) isPausedAtFirst = true;
    else session.pause();
  },
  continue: (batches: number) => session?.continue(batches),
  /** @returns all changes so far. @throws if the value is out of range */
  setHyperparameter(name: string, value: HyperparameterChange["value"]) {
    return session?.setHyperparameter(name, value);
  },
  recognise: async (pixels: Float32Array) => session?.recognise(pixels),
  /** One of the digits that no run is trained on, with its label; `position` is from 0 to less than 1. */
  heldOutDigit(position: number) {
    if (heldOut === undefined) return undefined;
    const index = Math.floor(position * heldOut.count);
    const pixels = heldOut.pixels.slice(index * pixelsPerDigit, (index + 1) * pixelsPerDigit);
    return { pixels, label: heldOut.labels[index] };
  },
  save: async () => session?.save(),
};

export type TrainingWorker = typeof trainingWorker;

expose(trainingWorker);
