import { useState } from "preact/hooks";

interface NumberInputProps {
  readonly id?: string | undefined;
  /** Its accessible name, where no `label` names it. */
  readonly name?: string | undefined;
  /** Undefined for an empty input. */
  readonly value: number | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  readonly step: number | "any";
  readonly placeholder?: string | undefined;
  /** Whether a number is taken; finite ones are if left out. */
  readonly accepts?: ((value: number) => boolean) | undefined;
  readonly onChange: (value: number) => void;
  /** Called when the input was emptied. Without it, an empty input is not valid. */
  readonly onClear?: (() => void) | undefined;
}

/**
 * A number that can be typed. The text stays while it is typed, however often the parent renders. What is not valid is
 * not taken: the input gets its last value back.
 */
export function NumberInput(props: NumberInputProps) {
  const { name, value, accepts = Number.isFinite, onChange, onClear, ...attributes } = props;
  const [typed, setTyped] = useState<string>();
  return (
    <input
      {...attributes}
      type="number"
      aria-label={name}
      value={typed ?? value ?? ""}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onBlur={() => setTyped(undefined)}
      onChange={(event) => {
        const field = event.currentTarget;
        setTyped(undefined);
        if (field.value === "" && !field.validity.badInput && onClear !== undefined) onClear();
        else if (accepts(field.valueAsNumber)) onChange(field.valueAsNumber);
        else field.value = String(value ?? "");
      }}
    />
  );
}
