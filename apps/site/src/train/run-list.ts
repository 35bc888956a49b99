import { batch, effect, signal } from "@preact/signals";
import { releaseProxy, wrap } from "comlink";
import { threadCount } from "../backends/browser-backends.js";
import { Run } from "./run.js";
import { runStyles } from "./run-styles.js";
import { recordsFrom } from "./run-records.js";
import type { RunSettings } from "./run-settings.js";
import type { TrainingWorker } from "./train.worker.js";

/** Where a browser keeps the records of the runs. */
const storageKey = "gradstep.train.runs";

/** Runs that train at the same time, however many processors there are. */
const simultaneousRuns = 4;

/** Finished runs that keep their workers, to recognise digits. */
const openFinishedRuns = 4;

/** The runs of the page. Those of an earlier visit come back, paused or finished. */
export class RunList {
  readonly runs = signal<readonly Run[]>([]);
  /** The id of the run whose details are shown. */
  readonly selected = signal<string | undefined>(undefined);
  /** What a screen reader says. */
  readonly announcement = signal("");
  /** Processors that the runs may use at the same time. */
  readonly #processors: number;
  readonly #queue: Run[] = [];
  /** In the order in which they finished. */
  readonly #finished: Run[] = [];
  readonly #ends = new Map<Run, () => void>();
  /** Ends writing to the storage. */
  readonly #endWriting: () => void;
  #isFollowing = false;

  /**
   * @param storage undefined where the page may store nothing
   * @param processors of the machine; one is left to the page
   */
  constructor(storage: Storage | undefined, processors: number) {
    this.#processors = Math.max(1, processors - 1);
    const records = recordsFrom(storage?.getItem(storageKey) ?? null);
    this.runs.value = records.map((record) => this.#watched(new Run(record)));
    this.selected.value = records[0]?.id;
    this.#endWriting = effect(() => {
      const text = JSON.stringify(this.runs.value.map(({ record }) => record));
      // Two tabs that answer each other's changes would do so forever.
      if (this.#isFollowing) return;
      try {
        storage?.setItem(storageKey, text);
      } catch {
        // Full, or forbidden: the runs are those of this visit.
      }
    });
  }

  get selectedRun(): Run | undefined {
    return this.runs.value.find(({ id }) => id === this.selected.value);
  }

  /** Takes over what another tab has stored: its new runs, names and results. Runs that are removed there are closed. */
  follow({ key, newValue }: Pick<StorageEvent, "key" | "newValue">): void {
    if (key !== storageKey) return;
    const finished: Run[] = [];
    this.#isFollowing = true;
    batch(() => {
      const known = new Map(this.runs.peek().map((run) => [run.id, run]));
      const runs = recordsFrom(newValue).map((record) => {
        const run = known.get(record.id);
        if (run?.follow(record) === true) finished.push(run);
        return run ?? this.#watched(new Run(record));
      });
      for (const run of known.values()) if (!runs.includes(run)) this.#drop(run);
      finished.push(...runs.filter(({ id }) => !known.has(id)));
      this.runs.value = runs;
      this.selected.value ??= runs[0]?.id;
    });
    this.#isFollowing = false;
    this.#next();
    void this.load(finished);
  }

  /** Loads the curves of runs of an earlier visit, or of another tab. */
  async load(runs = this.runs.peek()): Promise<void> {
    if (runs.length === 0) return;
    const worker = new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module" });
    const remote = wrap<TrainingWorker>(worker);
    for (const run of runs) {
      await run.load(remote).catch((error: unknown) => {
        run.error.value = error instanceof Error ? error.message : String(error);
      });
    }
    remote[releaseProxy]();
    worker.terminate();
  }

  /** Adds a run and starts it, as soon as a processor is free. */
  add(name: string, settings: RunSettings): Run {
    const run = this.#added(crypto.randomUUID(), name, settings);
    this.start(run);
    return run;
  }

  /** Adds a paused run whose checkpoint is saved under this id. */
  async addSaved(id: string, name: string, settings: RunSettings): Promise<Run> {
    const run = this.#added(id, name, settings);
    await this.load();
    return run;
  }

  #added(id: string, name: string, settings: RunSettings): Run {
    const runs = this.runs.value;
    const used = runs.map(({ style: one }) => one);
    const free = runStyles.findIndex((_, index) => !used.includes(index));
    const style = free === -1 ? runs.length % runStyles.length : free;
    const run = this.#watched(new Run({ id, name, color: style, isHidden: false, settings }));
    this.runs.value = [...runs, run];
    this.selected.value = id;
    return run;
  }

  /** Starts or continues a run, as soon as a processor is free. */
  start(run: Run): void {
    if (run.isBusy) return;
    run.status.value = "waiting";
    this.#queue.push(run);
    this.#next();
  }

  /** Loads the network of a run of an earlier visit, which stays paused or finished. */
  open(run: Run): void {
    if (!run.isOpen && !run.isBusy) run.start(0);
  }

  /** Trains one batch. */
  step(run: Run): void {
    run.start(1);
  }

  /** Removes a run and what is saved of it. */
  async remove(run: Run): Promise<void> {
    this.#drop(run);
    this.announcement.value = `${run.name.peek()} is deleted.`;
    this.#next();
    const worker = new Worker(new URL("./train.worker.ts", import.meta.url), { type: "module" });
    const remote = wrap<TrainingWorker>(worker);
    try {
      await remote.remove(run.id);
    } catch (error) {
      this.announcement.value = `What is saved of ${run.name.peek()} could not be removed: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      worker.terminate();
    }
  }

  /** Ends a run on this page. */
  #drop(run: Run): void {
    run.close();
    this.#ends.get(run)?.();
    this.#ends.delete(run);
    const runs = this.runs.peek();
    const index = runs.indexOf(run);
    const others = runs.filter((one) => one !== run);
    this.runs.value = others;
    if (this.selected.peek() === run.id)
      this.selected.value = (others[index] ?? others[index - 1])?.id;
  }

  /** Saves all runs that are training. */
  async save(): Promise<void> {
    await Promise.allSettled(this.runs.value.map((run) => run.save()));
  }

  /** Ends all workers. */
  close(): void {
    this.#endWriting();
    this.#queue.length = 0;
    for (const end of this.#ends.values()) end();
    for (const run of this.runs.value) run.close();
  }

  #watched(run: Run): Run {
    let before = run.status.value;
    const end = effect(() => {
      const status = run.status.value;
      if (status === before) return;
      before = status;
      if (status === "finished") this.#finish(run);
      if (status === "failed")
        this.announcement.value = `${run.name.peek()} failed: ${run.error.peek()}`;
      if (status === "paused") this.announcement.value = `${run.name.peek()} is paused.`;
      if (["finished", "failed", "paused"].includes(status)) queueMicrotask(() => this.#next());
    });
    this.#ends.set(run, end);
    return run;
  }

  #finish(run: Run): void {
    const { accuracy } = run.result.peek()!;
    this.announcement.value = `${run.name.peek()} is finished: it predicts ${(accuracy * 100).toFixed(2)} percent of the held-out digits.`;
    this.#finished.push(run);
    if (this.#finished.length > openFinishedRuns) this.#finished.shift()!.close();
  }

  #next(): void {
    while (this.#queue.length > 0) {
      const run = this.#queue[0];
      // It may have been paused or removed meanwhile.
      const isWanted = run.status.peek() === "waiting" && this.runs.peek().includes(run);
      if (isWanted && !this.#hasRoomFor(run)) return;
      this.#queue.shift();
      if (isWanted) run.start();
    }
  }

  #hasRoomFor(run: Run): boolean {
    const busy = this.runs.peek().filter((one) => one.isBusy);
    if (busy.length === 0) return true;
    const needed = [...busy, run].reduce((sum, one) => sum + this.#processorsOf(one), 0);
    return busy.length < simultaneousRuns && needed <= this.#processors;
  }

  #processorsOf({ settings: { backend } }: Run): number {
    return backend === "wasm-threads" ? threadCount(this.#processors + 1) : 1;
  }
}
