import {
  allowedValue,
  positionOf,
  positions,
  sliderRangeOf,
  valueAt,
} from "../controls/hyperparameter-range.js";
import { namedPart } from "./optimizer-spec.js";
import { withSetting } from "./runner-edits.js";
import type { OwnRules, Runner } from "./runner.js";

interface RunnerRateProps {
  readonly runner: Runner;
  readonly label: string;
  readonly ownRules: OwnRules;
  readonly onChange: (changed: Runner) => void;
}

/** The learning rate of an optimizer whose settings are closed: what most visitors change first. */
export function RunnerRate({ runner, label, ownRules, onChange }: RunnerRateProps) {
  for (const [part, { name, settings }] of runner.parts.entries()) {
    const { rule, stage } = namedPart(name, ownRules) ?? {};
    const allowed = rule?.hyperparameters.learningRate;
    const value = settings.learningRate ?? allowed?.default;
    // A schedule has more than one number: it is among the settings.
    if (rule === undefined || stage !== undefined || allowed === undefined) continue;
    if (typeof value !== "number") return null;
    const range = sliderRangeOf("learningRate", allowed);
    const change = (rate: number): void =>
      onChange(withSetting(runner, part, rule, "learningRate", allowedValue(rate, allowed)));
    return (
      <div class="playground-rate">
        <span aria-hidden="true">η</span>
        <input
          type="range"
          aria-label={`Learning rate of ${label}`}
          aria-valuetext={String(value)}
          min={0}
          max={positions}
          step={1}
          value={positionOf(value, range)}
          onInput={({ currentTarget }) => change(valueAt(currentTarget.valueAsNumber, range))}
        />
        <output>{value}</output>
      </div>
    );
  }
  return null;
}
