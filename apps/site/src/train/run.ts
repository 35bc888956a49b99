import type { Epoch } from "@gradstep/digits";
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import { brokenWorker } from "../broken-worker.js";
import { proxy, releaseProxy, wrap, type Remote } from "comlink";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import type { RunDocument } from "./run-document.js";
import type { RunRecord } from "./run-records.js";
import type { RunReport } from "./run-report.js";
import { totalBatches, type RunSettings } from "./run-settings.js";
import { runInUse } from "./run-in-use.js";
import type { TrainingWorker } from "./train.worker.js";

/**
 * `waiting`: for another run to end; `loading`: its worker starts; `paused`: also a run of an earlier visit that can be
 * continued.
 */
export type RunStatus = "waiting" | "loading" | "training" | "paused" | "finished" | "failed";

/** A run on the page. It trains in a worker of its own, which it has from its first start on. */
export class Run {
  readonly id: string;
  readonly settings: RunSettings;
  /** Index into `runStyles`. */
  readonly style: number;
  readonly totalBatches: number;
  readonly name;
  readonly isHidden;
  readonly result;
  readonly status = signal<RunStatus>("paused");
  /** Why the run failed or cannot go on. */
  readonly error = signal<string | undefined>(undefined);
  /** Whether the browser keeps what the run has learned when the tab is closed. */
  readonly isKept = signal(true);
  /** SHA-256 of the weights, while the run is paused or finished. */
  readonly digest = signal<string | undefined>(undefined);
  /** Batches so far. */
  readonly batches = signal(0);
  readonly hasBegun = computed(() => this.batches.value > 0);
  readonly losses: number[] = [];
  readonly learningRates: number[] = [];
  /** All completed epochs. */
  readonly history = signal<readonly Epoch[]>([]);
  /** Hyperparameters that were changed on the way. */
  readonly changes = signal<readonly HyperparameterChange[]>([]);
  seconds = 0;
  /** The current values of the rule's settings. */
  readonly rule: ReadonlySignal<RunSettings["rule"]>;
  #worker: Worker | undefined;
  #remote: Remote<TrainingWorker> | undefined;

  constructor({ id, name, color, isHidden, settings, result, changes = [] }: RunRecord) {
    this.id = id;
    this.settings = settings;
    this.style = color;
    this.totalBatches = totalBatches(settings);
    this.name = signal(name);
    this.isHidden = signal(isHidden);
    this.result = signal(result);
    this.changes.value = changes;
    this.digest.value = result?.digest;
    if (result !== undefined) this.status.value = "finished";
    this.rule = computed(() =>
      this.changes.value.reduce(
        (rule, { name: setting, value }) => ({ ...rule, [setting]: value }),
        this.settings.rule,
      ),
    );
  }

  get record(): RunRecord {
    const { id, style: color, settings } = this;
    const result = this.result.value;
    const changes = this.changes.value;
    return {
      id,
      name: this.name.value,
      color,
      isHidden: this.isHidden.value,
      settings,
      ...(changes.length > 0 && { changes }),
      ...(result && { result }),
    };
  }

  /** The settings with which another run has the same bits: with the changes that were made, and those to come. */
  get repeatableSettings(): RunSettings {
    const made = this.changes.value;
    const { changes: planned = [], ...settings } = this.settings;
    const toCome = planned.filter(
      ({ batch, name }) => !made.some((one) => one.batch === batch && one.name === name),
    );
    const changes = [...made, ...toCome];
    return changes.length === 0 ? settings : { ...settings, changes };
  }

  get document(): RunDocument {
    const { settings, losses, learningRates } = this;
    return {
      name: this.name.value,
      settings,
      changes: this.changes.value,
      result: this.result.value ?? null,
      history: this.history.value,
      batchLosses: losses,
      learningRates,
    };
  }

  /** Whether a worker has the network of the run. */
  get isOpen(): boolean {
    return this.#worker !== undefined && this.status.value !== "loading";
  }

  /** Whether it uses a processor. */
  get isBusy(): boolean {
    return this.status.value === "training" || this.status.value === "loading";
  }

  /** Takes over what another tab has changed. @returns whether the run has been finished there */
  follow({ name, isHidden, result, changes = [] }: RunRecord): boolean {
    this.name.value = name;
    this.isHidden.value = isHidden;
    if (this.#worker === undefined) this.#setChanges(changes);
    if (result === undefined || this.result.value !== undefined || this.#worker !== undefined)
      return false;
    this.result.value = result;
    this.digest.value = result.digest;
    this.error.value = undefined;
    this.status.value = "finished";
    return true;
  }

  /** Takes over what an earlier visit saved. */
  async load(remote: Remote<TrainingWorker>): Promise<void> {
    const saved = await remote.saved(this.id);
    if (saved !== undefined && this.#worker === undefined) this.#add(saved);
  }

  /** Trains for that number of batches: on from where it is, or from where it was saved. */
  start(batches = Infinity): void {
    this.error.value = undefined;
    if (this.#remote === undefined) void this.#open(batches);
    else {
      this.status.value = "training";
      this.digest.value = undefined;
      void this.#remote.continue(batches);
    }
  }

  /** Pauses before the next batch. */
  async pause(): Promise<void> {
    if (this.status.value === "waiting") this.status.value = "paused";
    else await this.#remote?.pause();
  }

  /** Sets a hyperparameter for all later batches. @throws if it is out of range */
  async setHyperparameter(name: string, value: HyperparameterChange["value"]): Promise<void> {
    const changes = await this.#remote!.setHyperparameter(name, value);
    if (changes !== undefined) this.changes.value = changes;
  }

  /** The probability of each class for a picture; undefined if no worker has the network. */
  async recognise(pixels: Float32Array): Promise<Float32Array | undefined> {
    return this.isOpen ? this.#remote!.recognise(pixels) : undefined;
  }

  /** A digit that no run is trained on; undefined if there is no worker. */
  async heldOutDigit(position: number) {
    return this.isOpen ? this.#remote!.heldOutDigit(position) : undefined;
  }

  /** Saves the run, if it is training. */
  async save(): Promise<void> {
    if (this.status.value === "training") await this.#remote?.save();
  }

  /** The newest checkpoint as a file, saved now if it trains; undefined if no worker has it. */
  async file(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await this.save();
    return this.#remote?.file(this.id, { name: this.name.value, settings: this.settings });
  }

  /** Ends the worker. What was not saved is trained again by the next start, with the same bits. */
  close(): void {
    this.#remote?.[releaseProxy]();
    this.#worker?.terminate();
    this.#remote = undefined;
    this.#worker = undefined;
    if (this.isBusy) this.status.value = "paused";
  }

  async #open(batches: number): Promise<void> {
    this.status.value = "loading";
    const worker = new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module" });
    const remote = wrap<TrainingWorker>(worker);
    this.#worker = worker;
    this.#remote = remote;
    const broken = brokenWorker(worker);
    const listener = proxy({
      onReport: (report: RunReport) => {
        if (this.#worker !== worker) return;
        if (report.firstBatch === 0) this.#reset();
        this.#add(report);
        if (this.status.value === "loading" && batches > 0) this.status.value = "training";
      },
      onPause: (digest: string) => {
        if (this.#worker !== worker) return;
        this.digest.value = digest;
        this.status.value = "paused";
      },
      onNotKept: () => {
        this.isKept.value = false;
      },
    });
    try {
      const training = remote.run(this.id, this.settings, batches, listener);
      const result = await Promise.race([training, broken]);
      if (this.#worker !== worker) return;
      this.result.value = result;
      this.digest.value = result.digest;
      this.status.value = "finished";
    } catch (error) {
      if (this.#worker !== worker) return;
      this.close();
      this.error.value = error instanceof Error ? error.message : String(error);
      // In another tab, it goes on.
      this.status.value = (error as Error).name === runInUse ? "paused" : "failed";
    }
  }

  /** Most reports have the same ones as the report before. */
  #setChanges(changes: readonly HyperparameterChange[]): void {
    if (JSON.stringify(changes) !== JSON.stringify(this.changes.peek()))
      this.changes.value = changes;
  }

  #reset(): void {
    this.losses.length = 0;
    this.learningRates.length = 0;
  }

  #add({ losses, learningRates, history, changes, seconds }: RunReport): void {
    for (const loss of losses) this.losses.push(loss);
    for (const rate of learningRates) this.learningRates.push(rate);
    // An epoch ends with an evaluation, after the report of its last batch.
    if (history.length !== this.history.value.length) this.history.value = history;
    this.#setChanges(changes);
    this.seconds = seconds;
    this.batches.value = this.losses.length;
  }
}
