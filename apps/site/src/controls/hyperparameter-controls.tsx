import type { Rule, ScheduleData } from "@gradstep/core";
import { meaningOf, optionMeaningOf } from "./hyperparameter-meanings.js";
import { allowedValue, sliderRangeOf } from "./hyperparameter-range.js";
import { SchedulePicker } from "./schedule-picker.js";
import { Slider } from "./slider.js";
import "./controls.css";

/** What a hyperparameter or an option is set to. */
export type SettingValue = number | ScheduleData | boolean | string;

interface HyperparameterControlsProps {
  /** A rule or a stage. */
  readonly rule: Rule;
  /** Hyperparameters and options that differ from their defaults. */
  readonly settings: Readonly<Record<string, SettingValue>>;
  /** Hyperparameters to show; all if left out. */
  readonly names?: readonly string[];
  /** Options to show; all if left out. */
  readonly options?: readonly string[];
  /** The length of the run, for schedules. No schedules if left out. */
  readonly steps?: number;
  readonly onChange: (name: string, value: SettingValue) => void;
}

/** Sliders for the hyperparameters of a rule, with their meanings and schedules, and its options. */
export function HyperparameterControls(props: HyperparameterControlsProps) {
  const { rule, settings, steps, onChange } = props;
  const { names = Object.keys(rule.hyperparameters), options = Object.keys(rule.options) } = props;
  return (
    <div class="hyperparameter-controls">
      {ordered(names).map((name) => (
        <HyperparameterControl
          key={name}
          rule={rule}
          name={name}
          value={settings[name] as number | ScheduleData | undefined}
          steps={steps}
          onChange={(value) => onChange(name, value)}
        />
      ))}
      {options.length > 0 && (
        <details>
          <summary>Options of {rule.name}</summary>
          {options.map((name) => (
            <OptionControl
              key={name}
              rule={rule}
              name={name}
              value={settings[name] as boolean | string | undefined}
              onChange={(value) => onChange(name, value)}
            />
          ))}
        </details>
      )}
    </div>
  );
}

/** The learning rate first, weight decay last. */
function ordered(names: readonly string[]): readonly string[] {
  const place = (name: string): number =>
    name === "learningRate" ? -1 : name === "weightDecay" ? 1 : 0;
  return [...names].sort((a, b) => place(a) - place(b));
}

interface HyperparameterControlProps {
  readonly rule: Rule;
  readonly name: string;
  readonly value: number | ScheduleData | undefined;
  readonly steps: number | undefined;
  readonly onChange: (value: number | ScheduleData) => void;
}

function HyperparameterControl({ rule, name, value, steps, onChange }: HyperparameterControlProps) {
  const allowed = rule.hyperparameters[name];
  const current = value ?? allowed.default;
  const { symbol, text } = meaningOf(name, rule.name) ?? {};
  const label = symbol === undefined ? name : `${name} (${symbol})`;
  return (
    <div class="hyperparameter">
      {typeof current === "number" ? (
        <Slider
          label={label}
          meaning={text}
          value={current}
          {...sliderRangeOf(name, allowed)}
          onInput={(next) => onChange(allowedValue(next, allowed))}
        />
      ) : (
        <div class="hyperparameter-scheduled">
          <strong>{label}</strong>
          {text !== undefined && <small>{text}</small>}
        </div>
      )}
      {steps !== undefined && (
        <SchedulePicker label={name} value={current} steps={steps} onChange={onChange} />
      )}
    </div>
  );
}

interface OptionControlProps {
  readonly rule: Rule;
  readonly name: string;
  readonly value: boolean | string | undefined;
  readonly onChange: (value: boolean | string) => void;
}

function OptionControl({ rule, name, value, onChange }: OptionControlProps) {
  const values = rule.options[name];
  const current = value ?? values[0];
  const meaning = optionMeaningOf(name);
  return (
    <div class="hyperparameter-option">
      <label>
        {typeof current === "boolean" ? (
          <>
            <input
              type="checkbox"
              checked={current}
              onChange={(event) => onChange(event.currentTarget.checked)}
            />
            <span>{name}</span>
          </>
        ) : (
          <>
            <span>{name}</span>
            <select value={current} onChange={(event) => onChange(event.currentTarget.value)}>
              {values.map((one) => (
                <option key={String(one)}>{String(one)}</option>
              ))}
            </select>
          </>
        )}
      </label>
      {meaning !== undefined && <small>{meaning}</small>}
    </div>
  );
}
