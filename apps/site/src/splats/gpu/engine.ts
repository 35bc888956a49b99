import { webgpu, type WebGpu } from "@gradstep/webgpu";
import type { Engine, Run } from "../engine.js";
import type { Picture } from "../picture.js";
import type { TrainingSettings } from "../training-settings.js";
import type { Canvases } from "../view.js";
import { GpuTrainer } from "./trainer.js";
import { GpuView } from "./view.js";

/** Trainings on a GPU, with a device of their own. */
export class GpuEngine implements Engine {
  onFailure: Engine["onFailure"] = () => {};
  readonly #backend: WebGpu;
  readonly #canvases: Canvases;
  #trainer: GpuTrainer | undefined;
  #isDisposed = false;
  #previousBatch: Promise<void> = Promise.resolve();

  private constructor(device: GPUDevice, canvases: Canvases) {
    this.#backend = webgpu({ device });
    this.#canvases = canvases;
    void device.lost.then(({ message }) => {
      const details = message === "" ? "" : ` (${message.replace(/\.$/, "")})`;
      if (!this.#isDisposed)
        this.onFailure(`The GPU was lost${details}. Restart begins again at step 0.`, true);
    });
    device.addEventListener("uncapturederror", ({ error }) => {
      this.onFailure(`WebGPU reported an error: ${error.message}`);
    });
  }

  /** @throws {Error} if there is no WebGPU */
  static async open(canvases: Canvases): Promise<GpuEngine> {
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) throw new Error("WebGPU found no GPU.");
    const timing = adapter.features.has("timestamp-query");
    const device = await adapter.requestDevice({
      requiredFeatures: timing ? ["timestamp-query"] : [],
    });
    return new GpuEngine(device, canvases);
  }

  start(picture: Picture, settings: TrainingSettings): Run {
    this.#trainer?.dispose();
    const trainer = new GpuTrainer(this.#backend, picture, settings);
    this.#trainer = trainer;
    return { trainer, view: new GpuView(this.#canvases, trainer.splats, trainer.renderer) };
  }

  async ready(): Promise<void> {
    const before = this.#previousBatch;
    this.#previousBatch = this.#backend.device.queue.onSubmittedWorkDone();
    await before;
  }

  idle(): Promise<void> {
    return this.#backend.device.queue.onSubmittedWorkDone();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#backend.device.destroy();
  }
}
