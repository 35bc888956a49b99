import type { BackendName } from "../backends/browser-backends.js";
import type { SettingValue } from "../controls/hyperparameter-controls.js";

/** A rule or a stage with the settings that differ from its defaults. */
export interface RunnerPart {
  readonly name: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/** An optimizer that races: stages on the gradient, the rule, stages on the update and the parameter. */
export interface Runner {
  readonly parts: readonly RunnerPart[];
  /** The backend of the race if left out. */
  readonly backend?: BackendName | undefined;
}

/** What everyone runs on: the same function, start and noise. */
export interface Race {
  readonly formula: string;
  readonly start: readonly [x: number, y: number];
  readonly steps: number;
  /** The standard deviation of the noise on each element of the gradient. */
  readonly noise: number;
  /** Of the noise. */
  readonly seed: number;
}

/** Rules that visitors have written: texts by name. */
export type OwnRules = Readonly<Record<string, string>>;
