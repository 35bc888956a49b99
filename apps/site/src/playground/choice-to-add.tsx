import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface ChoiceToAddProps {
  readonly label: string;
  /** Options. */
  readonly children: ComponentChildren;
  readonly onAdd: (name: string) => void;
}

/** A list to choose from, and a button that adds the choice: arrow keys that go through a list must not add anything. */
export function ChoiceToAdd({ label, children, onAdd }: ChoiceToAddProps) {
  const [name, setName] = useState("");
  return (
    <div class="playground-row playground-add">
      <label>
        {label}{" "}
        <select value={name} onChange={(event) => setName(event.currentTarget.value)}>
          <option value="">Choose…</option>
          {children}
        </select>
      </label>
      <button
        type="button"
        aria-disabled={name === ""}
        onClick={() => {
          if (name === "") return;
          onAdd(name);
          setName("");
        }}
      >
        Add
      </button>
    </div>
  );
}
