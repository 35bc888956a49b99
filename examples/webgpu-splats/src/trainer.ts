import type { DensifiedRows } from "./densifier.js";

/** The optimizer of a trainer and its parameters. */
export interface Trainer {
  /** Records a step of the rows that were in a tile. The encoder may hold other commands. */
  step(encoder: GPUCommandEncoder): void;
  /** Prunes and splits rows together with their optimizer state. */
  remap(rows: DensifiedRows): void;
  /** Reads the values of an attribute. */
  read(name: string): Promise<Float32Array>;
}
