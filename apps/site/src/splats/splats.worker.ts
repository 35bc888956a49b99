import { expose } from "comlink";
import { CpuEngine } from "./cpu/engine.js";
import type { Engine } from "./engine.js";
import { Fitting, type Progress } from "./fitting.js";
import { GpuEngine } from "./gpu/engine.js";
import type { PictureSource } from "./pictures/load-picture.js";
import type { AttributeName } from "./splat-rows.js";
import type { TrainingSettings } from "./training-settings.js";
import type { Canvases } from "./view.js";

export type SplatsBackend = "webgpu" | "wasm";

let fitting: Fitting;

const api = {
  /** Opens a backend. Once, before everything else. */
  async open(
    backend: SplatsBackend,
    canvases: Canvases,
    onProgress: (progress: Progress) => void,
    onFailure: Engine["onFailure"],
  ): Promise<void> {
    const engine = backend === "webgpu" ? await GpuEngine.open(canvases) : new CpuEngine(canvases);
    engine.onFailure = onFailure;
    fitting = new Fitting(engine, onProgress);
  },
  start: (source: PictureSource, settings: TrainingSettings) => fitting.start(source, settings),
  play: () => fitting.play(),
  pause: () => fitting.pause(),
  step: () => fitting.step(),
  setRate: (name: AttributeName, rate: number) => fitting.setRate(name, rate),
  setEllipses: (ellipses: boolean) => fitting.setEllipses(ellipses),
};

export type SplatsWorker = typeof api;

expose(api);
