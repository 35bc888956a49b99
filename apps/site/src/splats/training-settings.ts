import { attributes, byAttribute, type ByAttribute } from "./splat-rows.js";

/** What a training is started with. */
export interface TrainingSettings {
  readonly steps: number;
  /** The longest side of the picture, in pixels. */
  readonly size: number;
  /** The number of splats at most. A training starts with an eighth of it. */
  readonly capacity: number;
  /** The learning rates at the first step. They decay exponentially to a tenth at the last one. */
  readonly rates: ByAttribute<number>;
}

export const defaultRates: ByAttribute<number> = byAttribute(
  (name) => attributes[name].learningRate,
);

export const initialCount = ({ capacity }: TrainingSettings): number => Math.ceil(capacity / 8);

/** The factor of all rates after some steps. */
export const rateFactor = (step: number, { steps }: TrainingSettings): number =>
  0.1 ** Math.min(1, step / steps);

/** Whether a round of pruning and splitting follows step number `step`, counted from 1: twelve rounds in the first 60 %. */
export function hasRound(step: number, { steps }: TrainingSettings): boolean {
  return step % Math.max(1, Math.round(steps / 20)) === 0 && step <= 0.6 * steps;
}

/** How splats are pruned and split. */
export const density = {
  /** Splats with less opacity are pruned. */
  minOpacity: 0.02,
  /** Splats that color less than this many pixels are pruned. */
  minCoverage: 2,
  /** A round splits at most this fraction of the splats: those with the largest squared error on their pixels. */
  growth: 0.4,
  /** Splats are split only if they are wider than this, in pixels. */
  minSplitScale: 0.5,
  /** The halves of a splat are this far from its center, and this times as long: in standard deviations. */
  splitOffset: 0.6,
  splitScale: 0.65,
} as const;

/** Number of steps between two records of the PSNR; the first is at step 0. */
export const recordEvery = 10;
