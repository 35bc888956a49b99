import { useId } from "preact/hooks";
import { positionOf, positions, valueAt, type Scale } from "./hyperparameter-range.js";
import { NumberInput } from "./number-input.js";
import "./controls.css";

interface SliderProps {
  readonly label: string;
  /** One sentence that says what the value does. */
  readonly meaning?: string | undefined;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly scale?: Scale;
  readonly isInteger?: boolean | undefined;
  readonly onInput: (value: number) => void;
}

/** A slider with its value as an editable number, which may lie outside of the slider's range. */
export function Slider(props: SliderProps) {
  const { label, meaning, value, min, max, scale = "linear", isInteger = false, onInput } = props;
  const id = useId();
  const range = { min, max, scale, isInteger };
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={positions}
        step={1}
        value={positionOf(value, range)}
        aria-valuetext={String(value)}
        aria-describedby={meaning === undefined ? undefined : `${id}-meaning`}
        onInput={(event) => onInput(valueAt(event.currentTarget.valueAsNumber, range))}
      />
      <NumberInput
        name={`${label}, as a number`}
        step={isInteger ? 1 : "any"}
        value={value}
        onChange={onInput}
      />
      {meaning !== undefined && <small id={`${id}-meaning`}>{meaning}</small>}
    </div>
  );
}
