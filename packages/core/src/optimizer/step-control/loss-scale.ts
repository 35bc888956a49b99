import type { DynamicLossScale } from "../../rule/step-control-options.js";

/** What a loss scale keeps from step to step. */
export interface LossScaleState {
  readonly scale: number;
  /** Steps with finite gradients since the scale last changed. */
  readonly goodSteps: number;
}

/**
 * A loss scale, as in Micikevicius et al. 2018, with the rule of PyTorch's `GradScaler` and Keras's `LossScaleOptimizer`:
 * it grows after a number of steps in a row with finite gradients, unless the result is infinite in f32, and shrinks at
 * every step with a gradient that is not finite.
 */
export class LossScale {
  readonly #options: Required<DynamicLossScale>;
  #scale: number;
  #goodSteps = 0;

  constructor(options: Required<DynamicLossScale>) {
    this.#options = options;
    this.#scale = options.initial;
  }

  /** Before the first step. */
  get initial(): LossScaleState {
    return { scale: this.#options.initial, goodSteps: 0 };
  }

  get scale(): number {
    return this.#scale;
  }

  get state(): LossScaleState {
    return { scale: this.#scale, goodSteps: this.#goodSteps };
  }

  set state({ scale, goodSteps }: LossScaleState) {
    this.#scale = scale;
    this.#goodSteps = goodSteps;
  }

  /** To be called after a step that was taken. */
  grow(): void {
    const { growthInterval, growthFactor } = this.#options;
    this.#goodSteps += 1;
    if (this.#goodSteps < growthInterval) return;
    this.#goodSteps = 0;
    const larger = this.#scale * growthFactor;
    if (Math.fround(larger) < Infinity) this.#scale = larger;
  }

  /** To be called after a step that was skipped. */
  shrink(): void {
    this.#scale *= this.#options.backoffFactor;
    this.#goodSteps = 0;
  }
}
