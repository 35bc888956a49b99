import { proxy, releaseProxy, transfer, wrap, type Remote } from "comlink";
import { brokenWorker } from "../broken-worker.js";
import type { Engine } from "./engine.js";
import type { Progress } from "./fitting.js";
import type { PictureSource } from "./pictures/load-picture.js";
import type { SplatsBackend, SplatsWorker } from "./splats.worker.js";
import type { TrainingSettings } from "./training-settings.js";
import type { Canvases } from "./view.js";

/** The canvases on the page. */
export type PageCanvases = Readonly<Record<keyof Canvases, HTMLCanvasElement>>;

interface SessionEvents {
  readonly onProgress: (progress: Progress) => void;
  readonly onFailure: Engine["onFailure"];
}

/** A worker that trains, and draws on canvases which it takes from the page. */
export class Session {
  readonly #worker: Worker;
  readonly #remote: Remote<SplatsWorker>;
  readonly #onFailure: Engine["onFailure"];
  /** Calls are executed one after the other. */
  #last: Promise<void>;

  constructor(backend: SplatsBackend, canvases: PageCanvases, events: SessionEvents) {
    this.#worker = new Worker(new URL("./splats.worker.ts", import.meta.url), { type: "module" });
    this.#remote = wrap<SplatsWorker>(this.#worker);
    this.#onFailure = events.onFailure;
    brokenWorker(this.#worker).catch((error: unknown) => this.#fail(error));
    const offscreen = {
      picture: canvases.picture.transferControlToOffscreen(),
      fit: canvases.fit.transferControlToOffscreen(),
      difference: canvases.difference.transferControlToOffscreen(),
    };
    this.#last = this.#remote
      .open(
        backend,
        transfer(offscreen, Object.values(offscreen)),
        proxy(events.onProgress),
        proxy(events.onFailure),
      )
      .catch((error: unknown) => this.#fail(error));
  }

  /** Begins a training at step 0, and runs it if `isRunning`. Resolves when it has begun, or failed. */
  start(source: PictureSource, settings: TrainingSettings, isRunning: boolean): Promise<void> {
    this.call(async (remote) => {
      await remote.start(source, settings);
      if (isRunning) await remote.play();
    });
    return this.#last;
  }

  /** Calls the worker after everything that was called before. */
  call(action: (remote: Remote<SplatsWorker>) => Promise<void>): void {
    this.#last = this.#last
      .then(() => action(this.#remote))
      .catch((error: unknown) => this.#fail(error));
  }

  dispose(): void {
    this.#remote[releaseProxy]();
    this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#onFailure(error instanceof Error ? error.message : String(error));
  }
}
