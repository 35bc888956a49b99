import type { Hyperparameter } from "@gradstep/core";

/**
 * How positions of a slider become values. `log`: equal ways are equal factors. `zero-log`: the same, with 0 at the left
 * end. `decay`: equal ways are equal factors of 1 − value, for decay rates just below 1.
 */
export type Scale = "linear" | "log" | "zero-log" | "decay";

/** What the slider of a hyperparameter shows. The number next to it can be outside. */
export interface SliderRange {
  /** The least value; for `zero-log`, the least one above 0. */
  readonly min: number;
  readonly max: number;
  readonly scale: Scale;
  readonly isInteger?: boolean;
}

/** Ranges that the default does not tell. */
const known: Readonly<Record<string, SliderRange>> = {
  agcClipping: { min: 1e-3, max: 1, scale: "log" },
  alpha: { min: 0, max: 10, scale: "linear" },
  beta2Decay: { min: -1, max: 0, scale: "linear" },
  beta: { min: 1e-3, max: 10, scale: "zero-log" },
  clipNorm: { min: 1e-2, max: 100, scale: "log" },
  clipValue: { min: 1e-2, max: 100, scale: "log" },
  emaOverwrite: { min: 0, max: 50, scale: "linear", isInteger: true },
  epsilon: { min: 1e-12, max: 10, scale: "log" },
  globalClipNorm: { min: 1e-2, max: 100, scale: "log" },
  learningRate: { min: 1e-5, max: 10, scale: "log" },
  lookaheadSteps: { min: 1, max: 20, scale: "linear", isInteger: true },
  momentum: { min: 0.001, max: 0.999, scale: "decay" },
  nsSteps: { min: 0, max: 10, scale: "linear", isInteger: true },
  threshold: { min: 0, max: 20, scale: "linear" },
  warmupSteps: { min: 0, max: 100, scale: "linear", isInteger: true },
  weightDecay: { min: 1e-4, max: 1, scale: "zero-log" },
};

/** The range of the slider of a hyperparameter. */
export function sliderRangeOf(name: string, allowed: Hyperparameter): SliderRange {
  const { default: value, min, max, below } = allowed;
  if (below === 1) return { min: 0, max: 0.9999, scale: "decay" };
  if (Object.hasOwn(known, name)) {
    const range = known[name];
    return max === undefined ? range : { ...range, max: Math.min(range.max, max) };
  }
  if (min === 0 && max !== undefined) return { min, max, scale: "linear" };
  if (min === undefined)
    return { min: -Math.abs(value) - 1, max: Math.abs(value) + 1, scale: "linear" };
  if (value > 0) return { min: value / 1000, max: value * 1000, scale: "log" };
  return { min: 1e-4, max: 10, scale: "zero-log" };
}

/** The value nearest to this one that the rule allows. */
export function allowedValue(value: number, { min, max, below }: Hyperparameter): number {
  const low = Math.max(value, min ?? -Infinity);
  const high = Math.min(low, max ?? Infinity);
  return below !== undefined && high >= below ? below - 1e-6 : high;
}

/** Number of positions of a slider, from 0 to this. */
export const positions = 400;

/** The value at a position, with 3 digits, or 3 digits of its distance to 1 for decay rates. */
export function valueAt(position: number, { min, max, scale, isInteger }: SliderRange): number {
  const part = position / positions;
  if (scale === "linear") {
    const value = min + part * (max - min);
    return isInteger === true ? Math.round(value) : rounded(value);
  }
  if (scale === "decay") return Number((1 - rounded((1 - max) ** part)).toPrecision(12));
  if (scale === "zero-log" && position === 0) return 0;
  return rounded(min * (max / min) ** part);
}

/** The position that is nearest to a value. */
export function positionOf(value: number, { min, max, scale }: SliderRange): number {
  const part = partOf(value, min, max, scale);
  return Math.round(Math.min(1, Math.max(0, part)) * positions);
}

function partOf(value: number, min: number, max: number, scale: Scale): number {
  if (scale === "linear") return (value - min) / (max - min);
  if (scale === "decay") return value >= 1 ? 1 : Math.log(1 - value) / Math.log(1 - max);
  return value <= 0 ? 0 : Math.log(value / min) / Math.log(max / min);
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
