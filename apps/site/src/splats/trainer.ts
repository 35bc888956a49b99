import type { AttributeName } from "./splat-rows.js";

/** What has been recorded of a training. */
export interface Report {
  /** PSNR in dB after 0, `recordEvery`, 2 · `recordEvery`, … steps. */
  readonly psnr: readonly number[];
  /** The number of splats at these steps. */
  readonly counts: readonly number[];
  /** Rounds of pruning and splitting so far, and how many splats they have pruned and split. */
  readonly rounds: number;
  readonly pruned: number;
  readonly split: number;
  /** Whether the GPU can tell how long it takes; undefined where there is none. */
  readonly hasTimestamps?: boolean;
  /** Time of the GPU per step, where it can tell, after the first one. */
  readonly gpuMilliseconds?: number;
}

/** Fits splats to a picture. Its image is always that of the current splats. */
export interface Trainer {
  /** Steps that have been taken, or submitted. */
  readonly step: number;
  /** Takes up to that many steps, at most the number of the settings. Waits for nothing and reads nothing back. */
  run(steps: number): void;
  /** Changes the learning rate of an attribute, before its decay. */
  setRate(name: AttributeName, rate: number): void;
  /** Reads what has been recorded. */
  report(): Promise<Report>;
  dispose(): void;
}
