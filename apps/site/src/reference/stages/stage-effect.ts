/** A line of a chart. */
export interface EffectLine {
  readonly name: string;
  readonly points: readonly (readonly [number, number])[];
  /** Whether it is what happens without the stage, or what the stage is compared with. */
  readonly isBaseline?: boolean;
}

/** What a stage does, computed by the stage: one chart. */
export interface StageEffect {
  readonly x: string;
  readonly y: string;
  readonly lines: readonly EffectLine[];
  /** `bars`: one bar per value of x and line, for values that have no order. */
  readonly form?: "lines" | "bars";
  /** What was computed, in a sentence or two. */
  readonly caption: string;
}

/** A line through what a function returns for evenly spaced numbers. @param intervals between them */
export function sampled(
  name: string,
  [from, to]: readonly [number, number],
  valueAt: (x: number) => number,
  { isBaseline = false, intervals = 24 } = {},
): EffectLine {
  const points = Array.from({ length: intervals + 1 }, (_, i) => {
    const x = from + ((to - from) * i) / intervals;
    return [x, valueAt(x)] as const;
  });
  return { name, points, isBaseline };
}

/** A line through all values of a list, by their indices from `first` on. */
export function listed(
  name: string,
  values: readonly number[],
  { first = 0, isBaseline = false } = {},
): EffectLine {
  return { name, points: values.map((value, i) => [first + i, value] as const), isBaseline };
}

export function norm(values: readonly number[]): number {
  return Math.hypot(...values);
}
