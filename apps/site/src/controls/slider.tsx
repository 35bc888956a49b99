import { useId } from "preact/hooks";
import "./controls.css";

interface SliderProps {
  readonly label: string;
  /** One sentence that says what the value does. */
  readonly meaning?: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** `log`: equal ways are equal factors; `min` is above 0. */
  readonly scale?: "linear" | "log";
  readonly onInput: (value: number) => void;
}

/** Steps from one end of a slider to the other. */
const steps = 400;

/** A slider with its value as an editable number. */
export function Slider({
  label,
  meaning,
  value,
  min,
  max,
  scale = "linear",
  onInput,
}: SliderProps) {
  const id = useId();
  const toPosition = (number: number) =>
    scale === "log" ? Math.log(number / min) / Math.log(max / min) : (number - min) / (max - min);
  const toValue = (position: number) =>
    scale === "log" ? min * (max / min) ** position : min + position * (max - min);
  const rounded = (number: number) => Number(number.toPrecision(3));
  return (
    <div class="slider">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        min={0}
        max={steps}
        step={1}
        value={Math.round(toPosition(value) * steps)}
        aria-valuetext={String(value)}
        aria-describedby={meaning === undefined ? undefined : `${id}-meaning`}
        onInput={(event) => onInput(rounded(toValue(event.currentTarget.valueAsNumber / steps)))}
      />
      <input
        type="number"
        step="any"
        aria-label={`${label}, as a number`}
        value={value}
        onChange={(event) => {
          const number = event.currentTarget.valueAsNumber;
          if (Number.isFinite(number)) onInput(number);
        }}
      />
      {meaning !== undefined && <small id={`${id}-meaning`}>{meaning}</small>}
    </div>
  );
}
