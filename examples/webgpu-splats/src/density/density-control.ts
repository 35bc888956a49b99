import type { RowOrigins } from "../optimizer.js";

/** How many rows a round has changed, by the way it has changed them. */
export type DensityRound = Readonly<
  Partial<Record<"pruned" | "cloned" | "split" | "relocated" | "added", number>>
>;

/** Decides where Gaussians are needed, and how many. */
export interface DensityControl {
  /** Adds to the gradients, before a step. */
  regularize?(encoder: GPUCommandEncoder): void;
  /** Changes parameters and their activated values, after a step. */
  perturb?(encoder: GPUCommandEncoder, step: number, positionRate: number): void;
  /** Begins a round: chooses the new rows. */
  choose(step: number): Promise<{ readonly origins: RowOrigins; readonly round: DensityRound }>;
  /** Completes a round: changes the parameters of rows that were moved. */
  complete(encoder: GPUCommandEncoder): void;
}
