import type { Hyperparameter, ScheduleData } from "@gradstep/core";
import { optimizerNames } from "@gradstep/digits/optimizers";
import type { SettingValue } from "../controls/hyperparameter-controls.js";
import { allowedValue } from "../controls/hyperparameter-range.js";
import { scheduleOf } from "../controls/schedule-kinds.js";
import { numbersOf, QueryReader, type ReadQuery } from "../url-state/query-reader.js";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import {
  defaultSettings,
  ruleOf,
  trainingBackends,
  trainingDigits,
  withLength,
  withOptimizer,
  type RuleSettings,
  type RunSettings,
} from "./run-settings.js";

type UrlState = Readonly<Record<string, string | undefined>>;

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
    changes: settings.changes && JSON.stringify(settings.changes),
    ...(Object.fromEntries(rule) as UrlState),
  };
}

/** The settings of a query string. What is missing or cannot be used has its default. */
export function settingsFromUrl(query: UrlState): ReadQuery<RunSettings> {
  const reader = new QueryReader(query);
  const { epochs, batchSize, seed } = defaultSettings;
  const optimizer = reader.choice("optimizer", defaultSettings.optimizer, optimizerNames);
  const base = baseOf({
    optimizer,
    backend: reader.choice("backend", defaultSettings.backend, trainingBackends),
    epochs: reader.integer("epochs", epochs, 1, 100),
    batchSize: reader.integer("batch", batchSize, 1, trainingDigits),
    seed: reader.integer("seed", seed, 0, 2 ** 32 - 1),
  });
  const { hyperparameters, options } = ruleOf(optimizer);
  const rule: Record<string, SettingValue> = { ...base.rule };
  for (const name of Object.keys(hyperparameters))
    rule[name] = reader.read(name, rule[name], (text) =>
      hyperparameterOf(text, hyperparameters[name]),
    );
  for (const name of Object.keys(options))
    rule[name] = reader.read(name, rule[name], (text) =>
      (options[name] as readonly SettingValue[]).find((one) => textOf(one) === text),
    );
  const positive = (text: string): number | undefined =>
    Number(text) > 0 && Number.isFinite(Number(text)) ? Number(text) : undefined;
  const clip = reader.read("clip", undefined, positive);
  const ema = reader.read("ema", undefined, fractionOf);
  const changes = reader.read("changes", undefined, (text) => changesOf(text, hyperparameters));
  const given = Object.entries(rule).filter(([, value]) => value !== undefined);
  const state: RunSettings = {
    ...base,
    rule: Object.fromEntries(given) as RuleSettings,
    ...(clip !== undefined && { clip }),
    ...(ema !== undefined && { ema }),
    ...(changes !== undefined && { changes }),
  };
  return { state, problems: reader.problems };
}

/** A number from 0 to less than 1. */
export function fractionOf(text: string): number | undefined {
  const [value] = numbersOf(text, 1) ?? [];
  return value >= 0 && value < 1 ? value : undefined;
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

/** Changes of hyperparameters of a rule, to values in their ranges. @throws for anything else */
function changesOf(
  text: string,
  hyperparameters: Readonly<Record<string, Hyperparameter>>,
): readonly HyperparameterChange[] | undefined {
  const changes = (JSON.parse(text) as readonly HyperparameterChange[]).map(
    ({ batch, name, value }) => ({ batch, name, value }),
  );
  const areAllowed = changes.every(
    ({ batch, name, value }) =>
      Number.isSafeInteger(batch) &&
      batch >= 0 &&
      Object.hasOwn(hyperparameters, name) &&
      hyperparameterOf(JSON.stringify(value), hyperparameters[name]) !== undefined,
  );
  return areAllowed ? changes : undefined;
}

/** A number in the range of a hyperparameter, or a valid schedule. @throws for what is neither number nor schedule */
function hyperparameterOf(text: string, range: Hyperparameter): number | ScheduleData | undefined {
  const value = JSON.parse(text) as number | ScheduleData;
  // JSON may have numbers that are too large for f64.
  if (value === Infinity) return undefined;
  if (typeof value === "number") return allowedValue(value, range) === value ? value : undefined;
  return Number.isFinite(scheduleOf(value).valueAt(0)) ? value : undefined;
}
