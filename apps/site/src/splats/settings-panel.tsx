import { BackendPicker } from "../controls/backend-picker.js";
import { Slider } from "../controls/slider.js";
import { inRange, limits, rateLimits, type DemoState } from "./demo-state.js";
import { attributeNames, type AttributeName } from "./splat-rows.js";

const rateMeanings: Readonly<Record<AttributeName, string>> = {
  position: "In pixels: Adam moves a splat by about this much per step at first.",
  scale: "Of the logarithm of the size: 0.04 is about 4 % per step.",
  color: "Of the logit of red, green and blue.",
  opacity: "Of the logit of the opacity, which is the weight of a splat among others.",
  rotation: "Of the cosine and sine of the angle: about radians per step.",
};

interface SettingsPanelProps {
  readonly state: DemoState;
  readonly onChange: (state: DemoState) => void;
}

/** Everything that can be set: what begins a new training, and rates that change at once. */
export function SettingsPanel({ state, onChange }: SettingsPanelProps) {
  const change = (part: Partial<DemoState>): void => onChange(inRange({ ...state, ...part }));
  return (
    <div class="splats-settings">
      <fieldset>
        <legend>Training</legend>
        <p>A change starts it again.</p>
        <Slider
          label="Splats, at most"
          value={state.capacity}
          {...limits.capacity}
          scale="log"
          isInteger
          onInput={(capacity) => change({ capacity })}
        />
        <Slider
          label="Size of the picture"
          meaning="The longest side, in pixels."
          value={state.size}
          {...limits.size}
          scale="log"
          isInteger
          onInput={(size) => change({ size })}
        />
        <Slider
          label="Steps"
          value={state.steps}
          {...limits.steps}
          scale="log"
          isInteger
          onInput={(steps) => change({ steps })}
        />
        <BackendPicker
          value={state.backend}
          names={["webgpu", "wasm"]}
          onChange={(backend) => change({ backend })}
        />
      </fieldset>
      <fieldset>
        <legend>Learning rates</legend>
        <p>They change while it trains, and decay to a tenth at the last step.</p>
        {attributeNames.map((name) => (
          <Slider
            key={name}
            label={name[0].toUpperCase() + name.slice(1)}
            meaning={rateMeanings[name]}
            value={state.rates[name]}
            {...rateLimits(name)}
            scale="zero-log"
            onInput={(rate) => change({ rates: { ...state.rates, [name]: rate } })}
          />
        ))}
      </fieldset>
    </div>
  );
}
