import type { TrainingOptions } from "./training/training.js";

/** How much the mean PSNR of runs may differ, in dB. */
const tolerances: Readonly<Record<TrainingOptions["density"], number>> = {
  adaptive: 0.1,
  mcmc: 0.5,
};

/** A single run differs by more: a Gaussian that is split one round earlier changes all that follows. */
const singleRunTolerance = 0.5;

/** Student's t for 95 % of both sides, by the degrees of freedom from 1 on; above the last one, somewhat less. */
const quantiles = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26];

export interface Agreement {
  readonly agrees: boolean;
  readonly text: string;
}

/** Whether trainings with two optimizers end alike. @param differences of their PSNR, one per run, in dB */
export function agreementOf(
  differences: readonly number[],
  density: TrainingOptions["density"],
): Agreement {
  const runs = differences.length;
  const mean = differences.reduce((sum, one) => sum + one, 0) / runs;
  if (runs === 1)
    return {
      agrees: Math.abs(mean) <= singleRunTolerance,
      text: `The PSNR differs by ${Math.abs(mean).toFixed(2)} dB. That of a single run depends on rounding: --runs=8 compares means.`,
    };
  const variance = differences.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (runs - 1);
  const quantile = quantiles[Math.min(runs - 1, quantiles.length) - 1];
  const margin = quantile * Math.sqrt(variance / runs);
  const agrees = Math.abs(mean) <= Math.max(tolerances[density], margin);
  return {
    agrees,
    text: `They ${agrees ? "agree" : "do not agree"}: over ${runs} runs the PSNR with gradstep is ${mean < 0 ? "lower" : "higher"} by ${Math.abs(mean).toFixed(3)} dB, with a 95 % interval of ±${margin.toFixed(3)} dB.`,
  };
}
