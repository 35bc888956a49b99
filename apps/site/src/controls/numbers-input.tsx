import { useState } from "preact/hooks";

interface NumbersInputProps {
  readonly id: string;
  readonly value: readonly number[];
  readonly onChange: (value: readonly number[]) => void;
}

/** A list of numbers that can be typed. The text stays while it is typed, however often the parent renders. */
export function NumbersInput({ id, value, onChange }: NumbersInputProps) {
  const [typed, setTyped] = useState<string>();
  return (
    <input
      id={id}
      type="text"
      value={typed ?? value.join(", ")}
      onInput={(event) => setTyped(event.currentTarget.value)}
      onBlur={() => setTyped(undefined)}
      onChange={(event) => {
        setTyped(undefined);
        onChange(numbersIn(event.currentTarget.value));
      }}
    />
  );
}

/** The numbers of a text, separated by commas or spaces; NaN for what is none. */
function numbersIn(text: string): readonly number[] {
  return text
    .split(/[\s,]+/)
    .filter((word) => word !== "")
    .map(Number);
}
