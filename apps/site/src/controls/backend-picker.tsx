import { useEffect, useState } from "preact/hooks";
import {
  availableBackends,
  backendTitles,
  type Availability,
  type BackendName,
} from "../backends/browser-backends.js";
import "./controls.css";

interface BackendPickerProps {
  readonly value: BackendName;
  readonly onChange: (name: BackendName) => void;
}

/** A choice of the browser's backends. Those that are missing can't be chosen, and their reasons are listed. */
export function BackendPicker({ value, onChange }: BackendPickerProps) {
  const [backends, setBackends] = useState<readonly Availability[]>([]);
  useEffect(() => {
    void availableBackends().then(setBackends);
  }, []);
  const missing = backends.filter(({ reason }) => reason !== undefined);
  return (
    <fieldset class="backend-picker">
      <legend>Backend</legend>
      {backends.map(({ name, reason, detail }) => (
        <label key={name} class={reason === undefined ? "" : "backend-picker-missing"}>
          <input
            type="radio"
            name="backend"
            checked={name === value}
            disabled={reason !== undefined}
            onChange={() => onChange(name)}
          />
          <span>{backendTitles[name]}</span>
          {detail !== undefined && <small>{detail}</small>}
        </label>
      ))}
      {missing.length > 0 && (
        <details>
          <summary>Why are {missing.length} missing?</summary>
          <dl>
            {missing.map(({ name, reason }) => (
              <div key={name}>
                <dt>{backendTitles[name]}</dt>
                <dd>{reason}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </fieldset>
  );
}
