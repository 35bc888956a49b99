import { useId } from "preact/hooks";
import { NumberInput } from "../controls/number-input.js";

interface NumberFieldProps {
  readonly label: string;
  readonly value: number | undefined;
  readonly min: number;
  readonly max?: number;
  /** Whether it takes fractions. */
  readonly isFraction?: boolean;
  /** Whether it may be empty. */
  readonly isOptional?: boolean;
  /** Gets undefined only if the field is optional. */
  readonly onChange: (value: number | undefined) => void;
}

/** A number with its label. */
export function NumberField(props: NumberFieldProps) {
  const { label, value, min, max = Infinity, isFraction = false, isOptional = false } = props;
  const id = useId();
  return (
    <div class="train-field">
      <label for={id}>{label}</label>
      <NumberInput
        id={id}
        min={min}
        max={max === Infinity ? undefined : max}
        step={isFraction ? "any" : 1}
        placeholder={isOptional ? "off" : undefined}
        value={value}
        accepts={(number) =>
          number >= min && number <= max && (isFraction || Number.isInteger(number))
        }
        onChange={props.onChange}
        onClear={isOptional ? () => props.onChange(undefined) : undefined}
      />
    </div>
  );
}
