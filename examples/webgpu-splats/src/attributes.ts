/** A property of each point that is trained. */
export interface Attribute {
  readonly name: string;
  /** Values per point. */
  readonly columns: number;
  readonly learningRate: number;
  /** It is updated every `every` steps of the trainer. */
  readonly every: number;
  /** Offset of its gradient in a row's struct, in f16 values; undefined: f32 gradients in a separate buffer. */
  readonly gradientOffset?: number;
  /** Offset of its values in the renderer's struct of a row, in f16 values. */
  readonly mirrorOffset: number;
}

/** The backward pass writes a struct of 16 f16 values per row, 32 bytes. */
export const gradientStride = 16;

/** The renderer reads a struct of 26 f16 values per row: four attributes padded to four values each, and the harmonics to ten. */
export const mirrorStride = 26;

/** Five attributes, five learning rates. */
export const attributes: readonly Attribute[] = [
  {
    name: "positions",
    columns: 3,
    learningRate: 1.6e-4,
    every: 1,
    gradientOffset: 0,
    mirrorOffset: 0,
  },
  { name: "scales", columns: 3, learningRate: 5e-3, every: 1, gradientOffset: 4, mirrorOffset: 4 },
  {
    name: "rotations",
    columns: 4,
    learningRate: 1e-3,
    every: 1,
    gradientOffset: 8,
    mirrorOffset: 8,
  },
  {
    name: "colors",
    columns: 4,
    learningRate: 2.5e-3,
    every: 1,
    gradientOffset: 12,
    mirrorOffset: 12,
  },
  { name: "harmonics", columns: 9, learningRate: 1.25e-4, every: 16, mirrorOffset: 16 },
];

export const beta1 = 0.9;
export const beta2 = 0.999;
export const epsilon = 1e-15;
