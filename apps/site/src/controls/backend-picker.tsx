import { useEffect, useState } from "preact/hooks";
import {
  availableBackends,
  backendTitles,
  type Availability,
  type BackendName,
} from "../backends/browser-backends.js";
import "./controls.css";

interface BackendPickerProps<N extends BackendName> {
  /** The backends to choose from. All of them if left out. */
  readonly names?: readonly N[];
  readonly value: N;
  readonly onChange: (name: N) => void;
}

/** A choice of the browser's backends. Those that are missing can't be chosen, and their reasons are listed. */
export function BackendPicker<N extends BackendName>(props: BackendPickerProps<N>) {
  const { names, value, onChange } = props;
  const [available, setAvailable] = useState<readonly Availability[]>([]);
  useEffect(() => {
    void availableBackends().then(setAvailable);
  }, []);
  const isListed = (one: Availability): one is Availability & { readonly name: N } =>
    names === undefined || names.includes(one.name as N);
  const backends = available.filter(isListed);
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
          <span>
            {backendTitles[name]} {detail !== undefined && <small>{detail}</small>}
          </span>
        </label>
      ))}
      {missing.length > 0 && (
        <details>
          <summary>
            {missing.length === 1 ? "Why is one missing?" : `Why are ${missing.length} missing?`}
          </summary>
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
