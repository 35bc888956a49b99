import { wasm, type Wasm } from "@gradstep/wasm";
import type { Engine, Run } from "../engine.js";
import type { Picture } from "../picture.js";
import type { TrainingSettings } from "../training-settings.js";
import type { Canvases } from "../view.js";
import { CpuTrainer } from "./trainer.js";
import { CpuView } from "./view.js";

/** Trainings without a GPU. */
export class CpuEngine implements Engine {
  onFailure: (message: string) => void = () => {};
  readonly #backend: Wasm = wasm();
  readonly #canvases: Canvases;
  #trainer: CpuTrainer | undefined;

  constructor(canvases: Canvases) {
    this.#canvases = canvases;
  }

  start(picture: Picture, settings: TrainingSettings): Run {
    this.#trainer?.dispose();
    const trainer = new CpuTrainer(this.#backend, picture, settings);
    this.#trainer = trainer;
    return { trainer, view: new CpuView(this.#canvases, trainer, picture) };
  }

  /** Lets messages in. */
  async ready(): Promise<void> {
    await new Promise((resolve) => {
      setTimeout(resolve);
    });
  }

  /** Steps are done when they return. */
  async idle(): Promise<void> {}

  dispose(): void {
    this.#trainer?.dispose();
  }
}
