import type { Curve, LineStyle } from "../charts/chart.js";
import { batchesPerEpoch, type RunSettings } from "./run-settings.js";

/** What is drawn of a run. */
export interface DrawnRun {
  readonly label: string;
  readonly color: string;
  readonly line: LineStyle;
  readonly settings: Pick<RunSettings, "batchSize" | "epochs">;
  readonly losses: ArrayLike<number>;
  readonly learningRates: ArrayLike<number>;
  /** Held-out accuracy after each epoch. */
  readonly accuracies: readonly number[];
}

export interface CurveData {
  /** Epochs. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
}

/** Points of a curve at most. */
const points = 400;

/**
 * The losses as an exponential moving average, without its bias to 0 at the start.
 * @param smoothing the weight of the past, from 0 to less than 1
 */
export function smoothed(losses: ArrayLike<number>, smoothing: number): Float64Array {
  const result = new Float64Array(losses.length);
  let average = 0;
  // The weight of the 0 at the start.
  let rest = 1;
  for (let i = 0; i < losses.length; i += 1) {
    average = smoothing * average + (1 - smoothing) * losses[i];
    rest *= smoothing;
    result[i] = average / (1 - rest);
  }
  return result;
}

/** Smoothed training losses by epochs. */
export function lossCurves(runs: readonly DrawnRun[], smoothing: number): CurveData {
  return byBatch(runs, ({ losses }) => smoothed(losses, smoothing));
}

/** Learning rates by epochs, for a logarithmic scale: 0 is a gap. */
export function rateCurves(runs: readonly DrawnRun[]): CurveData {
  const { x, curves } = byBatch(runs, ({ learningRates }) => learningRates);
  return {
    x,
    curves: curves.map((curve) => ({
      ...curve,
      values: curve.values.map((rate) => (rate === 0 ? null : rate)),
    })),
  };
}

/** Held-out accuracies in percent, after each epoch. */
export function accuracyCurves(runs: readonly DrawnRun[]): CurveData {
  const epochs = Math.max(1, ...runs.map(({ accuracies }) => accuracies.length));
  const x = Array.from({ length: epochs }, (_, index) => index + 1);
  const curves = runs.map(({ label, color, line, accuracies }) => ({
    label,
    color,
    line,
    values: x.map((epoch) => (epoch > accuracies.length ? null : accuracies[epoch - 1] * 100)),
  }));
  return { x, curves };
}

/** Curves of values per batch, at equal distances. A value that is not finite is a gap. */
function byBatch(
  runs: readonly DrawnRun[],
  valuesOf: (run: DrawnRun) => ArrayLike<number>,
): CurveData {
  const length = Math.max(
    0,
    ...runs.map(({ settings, losses }) => losses.length / batchesPerEpoch(settings)),
  );
  const perEpoch = Math.max(1, ...runs.map(({ settings }) => batchesPerEpoch(settings)));
  const count = Math.min(points, Math.round(length * perEpoch));
  const x = Array.from({ length: count }, (_, index) => (length * (index + 1)) / count);
  const curves = runs.map((run) => {
    const values = valuesOf(run);
    const batches = batchesPerEpoch(run.settings);
    return {
      label: run.label,
      color: run.color,
      line: run.line,
      values: x.map((epoch) => {
        // The batch that ends there.
        const batch = Math.ceil(epoch * batches - 1e-6) - 1;
        const value = batch < run.losses.length ? values[batch] : NaN;
        return Number.isFinite(value) ? value : null;
      }),
    };
  });
  return { x, curves };
}
