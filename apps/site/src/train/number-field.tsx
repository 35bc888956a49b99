import { useId } from "preact/hooks";

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

/** A number. What is not valid is not taken: the field gets its last value back. */
export function NumberField(props: NumberFieldProps) {
  const { label, value, min, max = Infinity, isFraction = false, isOptional = false } = props;
  const id = useId();
  return (
    <div class="train-field">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        min={min}
        max={max === Infinity ? undefined : max}
        step={isFraction ? "any" : 1}
        placeholder={isOptional ? "off" : undefined}
        value={value ?? ""}
        onChange={(event) => {
          const field = event.currentTarget;
          if (field.value === "" && !field.validity.badInput && isOptional) {
            props.onChange(undefined);
            return;
          }
          const number = field.valueAsNumber;
          const isValid =
            number >= min && number <= max && (isFraction || Number.isInteger(number));
          if (isValid) props.onChange(number);
          else field.value = String(value ?? "");
        }}
      />
    </div>
  );
}
