import type { Engine, Run } from "./engine.js";
import { Frames } from "./frames.js";
import { loadPicture, type PictureSource } from "./pictures/load-picture.js";
import type { Picture } from "./picture.js";
import type { AttributeName } from "./splat-rows.js";
import type { Report } from "./trainer.js";
import type { TrainingSettings } from "./training-settings.js";

/** What the page shows of a training. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly report: Report;
  readonly isRunning: boolean;
}

/** An optimizer records at most 256 steps before they are submitted. */
const longestBatch = 128;
const reportMilliseconds = 250;

/** A training that runs until it is paused, and shows itself. Lives in a worker. */
export class Fitting {
  readonly #engine: Engine;
  readonly #onProgress: (progress: Progress) => void;
  readonly #frames = new Frames();
  #source: PictureSource | undefined;
  #picture: Picture | undefined;
  #run: Run | undefined;
  #settings: TrainingSettings | undefined;
  #ellipses = false;
  #isRunning = false;
  #loop: Promise<void> = Promise.resolve();
  #lastReport = 0;

  constructor(engine: Engine, onProgress: (progress: Progress) => void) {
    this.#engine = engine;
    this.#onProgress = onProgress;
  }

  /** Begins a training at step 0. Paused. @throws {DOMException} if the source is no picture */
  async start(source: PictureSource, settings: TrainingSettings): Promise<void> {
    await this.pause();
    if (source !== this.#source || settings.size !== this.#settings?.size) {
      this.#picture = await loadPicture(source, settings.size);
      this.#source = source;
    }
    this.#settings = settings;
    this.#run = this.#engine.start(this.#picture!, settings);
    this.#run.view.draw(this.#ellipses);
    await this.#report();
  }

  play(): void {
    if (this.#isRunning || this.#isFinished) return;
    this.#isRunning = true;
    this.#loop = this.#train().catch((error: unknown) => {
      this.#isRunning = false;
      this.#engine.onFailure(error instanceof Error ? error.message : String(error));
    });
  }

  async pause(): Promise<void> {
    this.#isRunning = false;
    await this.#loop;
  }

  /** Takes one step. */
  async step(): Promise<void> {
    await this.pause();
    this.#run?.trainer.run(1);
    this.#run?.view.draw(this.#ellipses);
    await this.#report();
  }

  setRate(name: AttributeName, rate: number): void {
    this.#run?.trainer.setRate(name, rate);
  }

  setEllipses(ellipses: boolean): void {
    this.#ellipses = ellipses;
    this.#run?.view.draw(ellipses);
  }

  get #isFinished(): boolean {
    return this.#run === undefined || this.#run.trainer.step >= this.#settings!.steps;
  }

  async #train(): Promise<void> {
    const { trainer, view } = this.#run!;
    const frames = this.#frames;
    let batch = 1;
    while (this.#isRunning && !this.#isFinished) {
      const begin = performance.now();
      trainer.run(batch);
      if (frames.canShow) {
        view.draw(this.#ellipses);
        frames.ask();
      }
      await this.#engine.ready();
      const now = performance.now();
      // The training does not wait for a report.
      // If it fails, so does the training, which says so.
      if (now - this.#lastReport > reportMilliseconds) this.#report().catch(() => {});
      if (now - begin > frames.batchMilliseconds) batch = Math.max(1, Math.floor(batch / 2));
      else batch = Math.min(longestBatch, batch + Math.ceil(batch / 4));
      if (frames.isLate) {
        await this.#engine.idle();
        await frames.wait();
      }
    }
    this.#isRunning = false;
    view.draw(this.#ellipses);
    await this.#report();
  }

  async #report(): Promise<void> {
    this.#lastReport = performance.now();
    const { trainer } = this.#run!;
    const { step } = trainer;
    const isRunning = this.#isRunning;
    const report = await trainer.report();
    if (trainer !== this.#run!.trainer) return;
    const steps = this.#settings!.steps;
    this.#onProgress({ step, steps, report, isRunning });
  }
}
