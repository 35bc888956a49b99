/** Floats in a row of parameters, of gradients (as integers) and of what the renderer reads. */
export const rowLength = 16;

/** By what the integers of gradients are multiplied. */
export const gradientScale = 2 ** -16;

/** The fields of a row: positions 7 and 15 are padding. */
export const fields = {
  position: { offset: 0, columns: 3, learningRate: 1.6e-4 },
  opacity: { offset: 3, columns: 1, learningRate: 0.05 },
  scale: { offset: 4, columns: 3, learningRate: 0.005 },
  rotation: { offset: 8, columns: 4, learningRate: 0.001 },
  color: { offset: 12, columns: 3, learningRate: 0.0025 },
} as const;

export type Field = keyof typeof fields;

export const fieldNames = Object.keys(fields) as Field[];

/** The buffers of a trainer, each with rows of 16 words. */
export interface TrainerBuffers {
  readonly parameters: GPUBuffer;
  /** i32, which the backward pass has added to. */
  readonly gradients: GPUBuffer;
  /** What the renderer reads: position, sigmoid(opacity), exp(scale), the normalized rotation, sigmoid(color). */
  readonly activated: GPUBuffer;
}

/** What a trainer needs of its optimizer. Everything is recorded; the trainer submits. */
export interface RowOptimizer {
  /** Updates parameters and activated rows, and sets the gradients to 0. */
  step(encoder: GPUCommandEncoder): void;
  /** Resets the moments of the opacity. */
  resetOpacity(encoder: GPUCommandEncoder): void;
}
