import type { Tensor } from "@gradstep/core";
import type { Wasm } from "@gradstep/wasm";
import { initialSplats } from "../initial-splats.js";
import { createSplatOptimizer, setLearningRates, type SplatOptimizer } from "../optimizer.js";
import { psnr, type Picture } from "../picture.js";
import { attributes, byAttribute, rowLength } from "../splat-rows.js";
import type { AttributeName, ByAttribute } from "../splat-rows.js";
import type { Report, Trainer } from "../trainer.js";
import { hasRound, initialCount, rateFactor, recordEvery } from "../training-settings.js";
import type { TrainingSettings } from "../training-settings.js";
import { chooseRows, divideRows } from "./density-control.js";
import { Renderer } from "./renderer.js";

/** Fits splats to a picture without a GPU: the renderer is plain JavaScript, and the optimizer WebAssembly. */
export class CpuTrainer implements Trainer {
  readonly renderer: Renderer;
  /** Activated rows, of which the first `count` are used. */
  readonly activated: Float32Array<ArrayBuffer>;
  readonly #backend: Wasm;
  readonly #picture: Picture;
  readonly #settings: TrainingSettings;
  readonly #rates: Record<AttributeName, number>;
  readonly #parameters: Float32Array<ArrayBuffer>;
  readonly #gradients: Float32Array<ArrayBuffer>;
  readonly #statistics: { readonly coverage: Float64Array; readonly error: Float64Array };
  readonly #optimizer: SplatOptimizer<Tensor>;
  readonly #psnr: number[] = [];
  readonly #counts: number[] = [];
  #count: number;
  #step = 0;
  #rounds = 0;
  #pruned = 0;
  #split = 0;

  constructor(backend: Wasm, picture: Picture, settings: TrainingSettings) {
    const { capacity } = settings;
    this.#count = initialCount(settings);
    this.#backend = backend;
    this.#picture = picture;
    this.#settings = settings;
    this.#rates = { ...settings.rates };
    this.renderer = new Renderer(picture);
    this.#parameters = new Float32Array(capacity * rowLength);
    this.#parameters.set(initialSplats(picture, this.#count));
    this.activated = new Float32Array(capacity * rowLength);
    this.#gradients = new Float32Array(capacity * rowLength);
    this.#statistics = { coverage: new Float64Array(capacity), error: new Float64Array(capacity) };
    this.#optimizer = createSplatOptimizer(
      this.#columns(this.#parameters),
      this.#columns(this.activated),
    );
    this.#optimizer.fillCopies();
    this.renderer.forward(this.activated, this.#count);
    this.#record();
  }

  get step(): number {
    return this.#step;
  }

  get count(): number {
    return this.#count;
  }

  /** After it, the image is that of the current splats. */
  run(steps: number): void {
    const last = Math.min(this.#settings.steps, this.#step + steps);
    while (this.#step < last) this.#takeStep();
  }

  setRate(name: AttributeName, rate: number): void {
    this.#rates[name] = rate;
  }

  async report(): Promise<Report> {
    return {
      psnr: [...this.#psnr],
      counts: [...this.#counts],
      rounds: this.#rounds,
      pruned: this.#pruned,
      split: this.#split,
    };
  }

  dispose(): void {
    this.#optimizer.dispose();
  }

  #takeStep(): void {
    const { activated, renderer } = this;
    renderer.backward(activated, this.#count, this.#picture, this.#gradients, this.#statistics);
    setLearningRates(this.#optimizer, this.#rates, rateFactor(this.#step, this.#settings));
    this.#optimizer.step(this.#columns(this.#gradients), { clear: true });
    this.#step += 1;
    if (hasRound(this.#step, this.#settings)) this.#takeRound();
    renderer.forward(activated, this.#count);
    if (this.#step % recordEvery === 0) this.#record();
  }

  #takeRound(): void {
    const { capacity } = this.#settings;
    const round = chooseRows(this.activated, this.#count, this.#statistics, capacity);
    this.#optimizer.rows().remap(round.sources, { resetRows: round.halves });
    divideRows(this.#parameters, round.halves);
    this.#optimizer.fillCopies();
    this.#count = round.sources.length;
    this.#rounds += 1;
    this.#pruned += round.pruned;
    this.#split += round.split;
  }

  #record(): void {
    this.#psnr.push(psnr(this.renderer.squaredError(this.#picture), this.#picture));
    this.#counts.push(this.#count);
  }

  /** A tensor for each attribute: its columns of the rows. */
  #columns(rows: Float32Array): ByAttribute<Tensor> {
    return byAttribute((name) => {
      const { offset, columns } = attributes[name];
      return this.#backend.wrap(rows, {
        shape: [this.#count, columns],
        capacity: this.#settings.capacity,
        offset,
        rowStride: rowLength,
      });
    });
  }
}
