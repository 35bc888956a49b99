import { optimizerNames, type OptimizerName } from "@gradstep/digits/optimizers";
import type { SettingValue } from "../controls/hyperparameter-controls.js";
import { allowedValue } from "../controls/hyperparameter-range.js";
import { scheduleOf } from "../controls/schedule-kinds.js";
import {
  defaultSettings,
  ruleOf,
  trainingBackends,
  trainingDigits,
  withLength,
  withOptimizer,
  type RuleSettings,
  type RunSettings,
  type TrainingBackend,
} from "./run-settings.js";

type UrlState = Readonly<Record<string, string | undefined>>;

const numberNames = ["epochs", "batch", "seed"] as const;

/** Settings as a query string has them: what differs from the defaults. */
export function settingsToUrl(settings: RunSettings): UrlState {
  const base = baseOf(settings);
  const rule = Object.entries(settings.rule).map(([name, value]) => [
    name,
    same(value, base.rule[name]) ? undefined : textOf(value),
  ]);
  const differing = <T>(value: T, usual: T): string | undefined =>
    value === usual ? undefined : String(value);
  return {
    optimizer: differing(settings.optimizer, defaultSettings.optimizer),
    backend: differing(settings.backend, defaultSettings.backend),
    epochs: differing(settings.epochs, defaultSettings.epochs),
    batch: differing(settings.batchSize, defaultSettings.batchSize),
    seed: differing(settings.seed, defaultSettings.seed),
    clip: settings.clip?.toString(),
    ema: settings.ema?.toString(),
    ...(Object.fromEntries(rule) as UrlState),
  };
}

/** The settings of a query string. What is not valid is left out. */
export function settingsFromUrl(state: UrlState): RunSettings {
  const one = <T extends string>(text: string | undefined, names: readonly T[], usual: T): T =>
    names.find((name) => name === text) ?? usual;
  const [epochs, batchSize, seed] = numberNames.map((name) => wholeNumber(state[name]));
  const optimizer = one<OptimizerName>(state.optimizer, optimizerNames, defaultSettings.optimizer);
  const base = baseOf({
    optimizer,
    backend: one<TrainingBackend>(state.backend, trainingBackends, defaultSettings.backend),
    epochs: limited(epochs, 1, 100) ?? defaultSettings.epochs,
    batchSize: limited(batchSize, 1, trainingDigits) ?? defaultSettings.batchSize,
    seed: limited(seed, 0, 2 ** 32 - 1) ?? defaultSettings.seed,
  });
  const { hyperparameters, options } = ruleOf(optimizer);
  const rule: Record<string, SettingValue> = { ...base.rule };
  for (const name of [...Object.keys(hyperparameters), ...Object.keys(options)]) {
    const value = state[name] === undefined ? undefined : valueOf(state[name]);
    if (value === undefined) continue;
    if (Object.hasOwn(options, name)) {
      if ((options[name] as readonly unknown[]).includes(value)) rule[name] = value;
    } else if (typeof value === "number" && allowedValue(value, hyperparameters[name]) === value)
      rule[name] = value;
    else if (typeof value === "object") rule[name] = value;
  }
  const clip = Number(state.clip || NaN);
  const ema = Number(state.ema || NaN);
  return {
    ...base,
    rule: rule as RuleSettings,
    ...(clip > 0 && Number.isFinite(clip) && { clip }),
    ...(ema >= 0 && ema < 1 && { ema }),
  };
}

/** What the settings would be with the default rule settings. */
function baseOf(settings: Omit<RunSettings, "rule">): RunSettings {
  const { optimizer, backend, epochs, batchSize, seed } = settings;
  const usual = withLength(defaultSettings, { epochs, batchSize });
  return withOptimizer({ ...usual, backend, seed }, optimizer);
}

function same(one: SettingValue, other: SettingValue | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function textOf(value: SettingValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A number, a truth value, a valid schedule, or a word; undefined for anything else. */
function valueOf(text: string): SettingValue | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "boolean") return value;
    // JSON may have numbers that are too large for f64.
    if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
    const data = value as Parameters<typeof scheduleOf>[0];
    return Number.isFinite(scheduleOf(data).valueAt(0)) ? data : undefined;
  } catch {
    return /^[\w-]+$/.test(text) ? text : undefined;
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function limited(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
