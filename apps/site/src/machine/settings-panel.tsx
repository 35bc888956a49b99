import {
  backendTitles,
  type Availability,
  type BackendName,
} from "../backends/browser-backends.js";
import { extents, type ExtentName, type MachineSettings } from "./settings.js";

interface SettingsPanelProps {
  readonly settings: MachineSettings;
  readonly availability: readonly Availability[];
  readonly isDisabled: boolean;
  readonly onChange: (settings: MachineSettings) => void;
}

const extentTitles: Readonly<Record<ExtentName, string>> = {
  quick: "Quick: every rule within its bound, 16 bugs; short rounds",
  full: "Full: every check of the suite, every bug; many rounds, minutes",
};

/** Which backends, and how much. */
export function SettingsPanel({
  settings,
  availability,
  isDisabled,
  onChange,
}: SettingsPanelProps) {
  const { without, extent } = settings;
  const toggle = (name: BackendName, isChosen: boolean): void =>
    onChange({
      ...settings,
      without: isChosen ? without.filter((one) => one !== name) : [...without, name],
    });
  return (
    <div class="machine-settings">
      <fieldset disabled={isDisabled}>
        <legend>Backends of this browser</legend>
        {availability.map(({ name, reason, detail }) => (
          <label key={name} class="machine-backend">
            <input
              type="checkbox"
              checked={reason === undefined && !without.includes(name)}
              disabled={reason !== undefined}
              onChange={({ currentTarget }) => toggle(name, currentTarget.checked)}
            />
            <span>
              {backendTitles[name]}
              {(reason ?? detail) !== undefined && <small>{reason ?? detail}</small>}
            </span>
          </label>
        ))}
      </fieldset>
      <fieldset disabled={isDisabled}>
        <legend>How much</legend>
        {extents.map((name) => (
          <label key={name} class="machine-backend">
            <input
              type="radio"
              name="machine-extent"
              checked={extent === name}
              onChange={() => onChange({ ...settings, extent: name })}
            />
            <span>{extentTitles[name]}</span>
          </label>
        ))}
      </fieldset>
    </div>
  );
}
