import type { Densified } from "./densify.js";

/** The optimizer of a trainer, and the parameters that it fits. */
export interface Trainer {
  /** Records a step of the rows that were in a tile, beside whatever else is in the encoder. */
  step(encoder: GPUCommandEncoder): void;
  /** Prunes and splits rows, with their state. */
  remap(rows: Densified): void;
  /** The values of an attribute. */
  read(name: string): Promise<Float32Array>;
}
