import { optimizerNames } from "@gradstep/digits/optimizers";
import { scheduleOf } from "../controls/schedule-kinds.js";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import { runStyles } from "./run-styles.js";
import { trainingBackends, trainingDigits, type RunSettings } from "./run-settings.js";
import type { RunResult } from "./training-session.js";

/** What is kept of a run from visit to visit, apart from its checkpoints. */
export interface RunRecord {
  readonly id: string;
  readonly name: string;
  /** Index into `runStyles`. Browsers keep it under this name. */
  readonly color: number;
  readonly isHidden: boolean;
  readonly settings: RunSettings;
  readonly result?: RunResult;
  /** The changes of hyperparameters that were made so far. */
  readonly changes?: readonly HyperparameterChange[];
}

/**
 * The records of a stored text. What is not a record is left out: other versions of the page, and other programs of the
 * same origin, may have written it.
 */
export function recordsFrom(text: string | null): readonly RunRecord[] {
  let list: unknown;
  try {
    list = JSON.parse(text ?? "[]");
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  const records = new Map<string, RunRecord>();
  for (const one of list.filter(isObject)) {
    const { id, name, color, isHidden, settings, result, changes } = one;
    if (typeof id !== "string" || id === "" || records.has(id)) continue;
    if (typeof name !== "string" || !isSettings(settings)) continue;
    records.set(id, {
      id,
      name,
      color: isWhole(color, 0, runStyles.length - 1) ? color : 0,
      isHidden: isHidden === true,
      settings,
      ...(areChanges(changes) && { changes }),
      ...(isResult(result) && { result: { ...result, loss: result.loss ?? NaN } }),
    });
  }
  return [...records.values()];
}

function isSettings(value: unknown): value is RunSettings {
  if (!isObject(value)) return false;
  const { optimizer, backend, rule, clip, ema, changes, epochs, batchSize, seed } = value;
  return (
    optimizerNames.some((name) => name === optimizer) &&
    trainingBackends.some((name) => name === backend) &&
    isObject(rule) &&
    Object.hasOwn(rule, "learningRate") &&
    Object.values(rule).every(isRuleSetting) &&
    (clip === undefined || typeof clip === "number") &&
    (ema === undefined || typeof ema === "number") &&
    (changes === undefined || areChanges(changes)) &&
    isWhole(epochs, 1, Infinity) &&
    isWhole(batchSize, 1, trainingDigits) &&
    isWhole(seed, 0, 2 ** 32 - 1)
  );
}

function areChanges(value: unknown): value is readonly HyperparameterChange[] {
  return Array.isArray(value) && value.filter(isObject).filter(isChange).length === value.length;
}

const isChange = ({ batch, name, value }: Readonly<Record<string, unknown>>): boolean =>
  isWhole(batch, 0, Infinity) &&
  typeof name === "string" &&
  (typeof value === "number" || isObject(value)) &&
  isRuleSetting(value);

/** A number, a truth value, a word or a schedule that core makes. */
function isRuleSetting(value: unknown): boolean {
  if (!isObject(value)) return ["number", "boolean", "string"].includes(typeof value);
  try {
    scheduleOf(value as unknown as Parameters<typeof scheduleOf>[0]);
    return true;
  } catch {
    return false;
  }
}

function isResult(value: unknown): value is RunResult {
  if (!isObject(value)) return false;
  const { accuracy, loss, digest, failure } = value;
  return (
    typeof accuracy === "number" &&
    // A loss that is not finite is null in JSON.
    (typeof loss === "number" || loss === null) &&
    typeof digest === "string" &&
    (failure === undefined || typeof failure === "string")
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(value: unknown, min: number, max: number): value is number {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}
