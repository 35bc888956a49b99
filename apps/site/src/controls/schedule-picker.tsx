import { NumberInput } from "./number-input.js";
import { NumbersInput } from "./numbers-input.js";
import type { ScheduleData, ScheduleOption } from "@gradstep/core";
import { useId } from "preact/hooks";
import {
  initialSchedule,
  scheduleKindOf,
  scheduleKinds,
  scheduleOf,
  type ScheduleOptionKind,
} from "./schedule-kinds.js";
import { ScheduleCurve } from "./schedule-curve.js";
import "./controls.css";

interface SchedulePickerProps {
  /** The name of the hyperparameter. */
  readonly label: string;
  /** A number for a constant. */
  readonly value: number | ScheduleData;
  /** The length of the run, for the curve and for the first values of options. */
  readonly steps: number;
  readonly onChange: (value: number | ScheduleData) => void;
}

/** A choice of how a hyperparameter changes over the steps of a run: constant, or a schedule with its options and curve. */
export function SchedulePicker({ label, value, steps, onChange }: SchedulePickerProps) {
  const id = useId();
  const kind = typeof value === "number" ? undefined : scheduleKindOf(value.schedule);
  const choose = (name: string): void => {
    const current = typeof value === "number" ? value : largestValue(value, steps);
    onChange(name === "" ? current : initialSchedule(scheduleKindOf(name), current, steps));
  };
  return (
    <div class="schedule-picker">
      <label for={id}>Schedule of {label}</label>
      <select
        id={id}
        value={kind?.name ?? ""}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">Constant</option>
        {scheduleKinds.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
      {kind !== undefined && typeof value !== "number" && (
        <>
          <small>{kind.meaning}</small>
          <ScheduleCurve label={label} schedule={value} steps={steps} />
          <div class="schedule-options">
            {kind.options.map((option) => (
              <OptionField
                key={option.name}
                option={option}
                value={value.options[option.name] ?? option.initial(0, steps)}
                onChange={(changed) =>
                  onChange({ ...value, options: { ...value.options, [option.name]: changed } })
                }
              />
            ))}
          </div>
        </>
      )}
    </div>
  );
}

interface OptionFieldProps {
  readonly option: ScheduleOptionKind;
  readonly value: ScheduleOption;
  readonly onChange: (value: ScheduleOption) => void;
}

function OptionField({ option: { name, meaning, kind }, value, onChange }: OptionFieldProps) {
  const id = useId();
  return (
    <div>
      <label for={id} title={meaning}>
        {name}
      </label>
      {typeof kind === "object" ? (
        <select
          id={id}
          value={value as string}
          onChange={(event) => onChange(event.currentTarget.value)}
        >
          {kind.map((word) => (
            <option key={word}>{word}</option>
          ))}
        </select>
      ) : kind === "numbers" ? (
        <NumbersInput id={id} value={value as readonly number[]} onChange={onChange} />
      ) : (
        <NumberInput
          id={id}
          step={kind === "steps" ? 1 : "any"}
          min={kind === "steps" ? 1 : undefined}
          value={value as number}
          onChange={onChange}
        />
      )}
    </div>
  );
}

/** The value that a constant takes over from a schedule. */
function largestValue(data: ScheduleData, steps: number): number {
  try {
    const schedule = scheduleOf(data);
    const values = Array.from({ length: steps }, (_, step) => schedule.valueAt(step));
    return Math.max(...values.filter((one) => Number.isFinite(one)), 0);
  } catch {
    return 0;
  }
}
