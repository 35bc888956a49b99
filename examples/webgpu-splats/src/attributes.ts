/** What is fitted of each point: its name, and how many values it has. */
export interface Attribute {
  readonly name: string;
  readonly columns: number;
  readonly learningRate: number;
  /** Its steps, in steps of the trainer. */
  readonly every: number;
  /** Where its gradient begins in the struct of a row, in f16; undefined: f32, in a buffer of their own. */
  readonly gradientAt?: number;
  /** Where the renderer looks for it in the struct of a row, in f16. */
  readonly copyAt: number;
}

/** The backward pass leaves a struct of 16 f16 for each row, 32 bytes. */
export const gradientStride = 16;

/** The renderer reads a struct of 26 f16 for each row: four attributes padded to four values each, and the harmonics to ten. */
export const copyStride = 26;

/** Five attributes, five learning rates. */
export const attributes: readonly Attribute[] = [
  { name: "positions", columns: 3, learningRate: 1.6e-4, every: 1, gradientAt: 0, copyAt: 0 },
  { name: "scales", columns: 3, learningRate: 5e-3, every: 1, gradientAt: 4, copyAt: 4 },
  { name: "rotations", columns: 4, learningRate: 1e-3, every: 1, gradientAt: 8, copyAt: 8 },
  { name: "colors", columns: 4, learningRate: 2.5e-3, every: 1, gradientAt: 12, copyAt: 12 },
  { name: "harmonics", columns: 9, learningRate: 1.25e-4, every: 16, copyAt: 16 },
];

export const beta1 = 0.9;
export const beta2 = 0.999;
export const epsilon = 1e-15;
