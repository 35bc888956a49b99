import type { AttributeName } from "./gaussian-rows.js";

/** For new rows, the rows they come from. */
export interface RowOrigins {
  /** The new number of rows. */
  readonly count: number;
  /** The previous index of each row, u32. */
  readonly indices: GPUBuffer;
  /** Nonzero for a row whose optimizer state begins at zero, u32. */
  readonly fresh: GPUBuffer;
}

/** What a trainer of Gaussians needs of an optimizer. */
export interface SplatOptimizer {
  /** Sets the learning rate of the next steps. */
  setLearningRate(attribute: AttributeName, learningRate: number): void;
  /** Records a step: consumes and clears the gradients, and updates parameters and activated rows. */
  step(encoder: GPUCommandEncoder): void;
  /** Records that the state of an attribute begins at zero. */
  resetState(encoder: GPUCommandEncoder, attribute: AttributeName): void;
  /** Records moves of rows of the parameters together with their state. The number of rows is the new one. */
  remap(encoder: GPUCommandEncoder, origins: RowOrigins): void;
  /** Records that the activated rows are computed from the parameters, which something else has changed. */
  activate(encoder: GPUCommandEncoder): void;
}
