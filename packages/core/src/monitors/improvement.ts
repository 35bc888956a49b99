import { GradstepError, show } from "../errors.js";
import { isPromise } from "../argument-checks/is-promise.js";
import { lostInJson } from "../optimizer/state/state-values.js";

/** Whether a monitored number, such as a loss or an accuracy, is better when it is smaller or larger. */
export type MonitorMode = (typeof monitorModes)[number];

/** What `mode` can be. */
export const monitorModes = ["min", "max"] as const;

/**
 * Whether a number is better than the best so far by more than `minDelta`. The first number always is; NaN never is, and
 * nothing is better than NaN.
 */
export function isImprovement(
  value: number,
  best: number | null,
  mode: MonitorMode,
  minDelta: number,
): boolean {
  if (best === null) return true;
  const delta = Math.abs(minDelta);
  return mode === "min" ? value + delta < best : value - delta > best;
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless all are integers of at least 0 */
export function checkCounts(owner: string, counts: Readonly<Record<string, unknown>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isSafeInteger(count) && (count as number) >= 0) continue;
    throw new GradstepError(
      `${owner}: ${name} is ${show(count)}; expected an integer of at least 0.`,
      { code: "INVALID_HYPERPARAMETER" },
    );
  }
}

/** @throws {GradstepError} `INVALID_HYPERPARAMETER` unless it is a number; NaN and infinity are */
export function checkMonitored(owner: string, value: unknown): asserts value is number {
  if (typeof value === "number") return;
  throw new GradstepError(
    `${owner}: got ${show(value)}; expected a number, such as the loss of this epoch.`,
    { code: "INVALID_HYPERPARAMETER" },
  );
}

/**
 * Checks the state of a monitor: a value that is a number, or null before the first, counts, and nothing else.
 * @throws {GradstepError} `STATE_MISMATCH`
 */
export function checkMonitorState(owner: string, state: unknown, counts: readonly string[]): void {
  const { best, ...rest } = Object(state) as Record<string, unknown>;
  const isBefore = best === null && rest["wait"] === 0 && rest["bestWeights"] === undefined;
  const isValid =
    (isBefore || typeof best === "number") &&
    counts.every((name) => Number.isSafeInteger(rest[name]) && (rest[name] as number) >= 0);
  if (isValid) return;
  const remedy = isPromise(state)
    ? "Pass what it resolves to."
    : best === null && !isBefore
      ? lostInJson
      : `It has best and the counts ${counts.join(", ")}.`;
  throw new GradstepError(
    `${owner}: got ${show(state)}; expected what its state() returned. ${remedy}`,
    { code: "STATE_MISMATCH" },
  );
}
