import { shortNumber } from "../number-text.js";
import type { ScheduleData } from "@gradstep/core";
import { scheduleOf } from "./schedule-kinds.js";

interface ScheduleCurveProps {
  readonly label: string;
  readonly schedule: ScheduleData;
  readonly steps: number;
}

const width = 240;
const height = 56;
const margin = 3;

/** The values of a schedule over the steps of a run, or why it has none. */
export function ScheduleCurve({ label, schedule: data, steps }: ScheduleCurveProps) {
  const curve = curveOf(data, steps);
  if (curve.error !== undefined)
    return (
      <p role="alert" class="schedule-error">
        {curve.error}
      </p>
    );
  const { values } = curve;
  const top = Math.max(...values);
  const bottom = Math.min(0, ...values);
  const points = values.map((value, i) => {
    const x = margin + (i / Math.max(1, values.length - 1)) * (width - 2 * margin);
    const y = height - margin - ((value - bottom) / (top - bottom || 1)) * (height - 2 * margin);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg
      class="schedule-curve"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${label}: from ${shortNumber(values[0], 3)} to ${shortNumber(values.at(-1)!, 3)} in ${steps} steps, at most ${shortNumber(top, 3)}`}
    >
      <polyline points={points.join(" ")} />
    </svg>
  );
}

interface CurveValues {
  readonly values: readonly number[];
  readonly error?: string;
}

function curveOf(data: ScheduleData, steps: number): CurveValues {
  try {
    const schedule = scheduleOf(data);
    const count = Math.min(width, Math.max(2, steps));
    const values = Array.from({ length: count }, (_, i) =>
      schedule.valueAt(Math.round((i / (count - 1)) * Math.max(1, steps - 1))),
    );
    const isFinite = values.every((value) => Number.isFinite(value));
    return isFinite
      ? { values }
      : { values: [], error: "The schedule has values that are not finite." };
  } catch (error) {
    return { values: [], error: error instanceof Error ? error.message : String(error) };
  }
}
