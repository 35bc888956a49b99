import { useEffect, useId, useState } from "preact/hooks";
import { BackendPicker } from "../controls/backend-picker.js";
import { NumberInput } from "../controls/number-input.js";
import { Slider } from "../controls/slider.js";
import { constants, functions } from "./formula-operations.js";
import { FormulaError } from "./formula-parser.js";
import { parseFormula } from "./formula.js";
import type { PlaygroundModel } from "./playground-model.js";
import { isExtent, maxSteps, ownSurface, withSurface } from "./playground-state.js";
import { surfaces, type Extent } from "./surfaces.js";

interface RaceSettingsProps {
  readonly model: PlaygroundModel;
}

/** What all optimizers run on: the function, steps, noise, and the backend. */
export function RaceSettings({ model }: RaceSettingsProps) {
  const state = model.state.value;
  const { description } = model.surface.value;
  return (
    <div class="playground-race">
      <div class="playground-row">
        <label>
          Function{" "}
          <select
            value={state.surface}
            onChange={(event) => {
              model.state.value = withSurface(state, event.currentTarget.value);
              model.restart();
            }}
          >
            {surfaces.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
            <option value={ownSurface}>Your own</option>
          </select>
        </label>
        <label>
          Steps{" "}
          <NumberInput
            min={1}
            max={maxSteps}
            step={1}
            value={state.steps}
            accepts={(steps) => Number.isInteger(steps) && steps >= 1}
            onChange={(steps) => model.update({ steps: Math.min(maxSteps, steps) })}
          />
        </label>
        <FormulaField model={model} />
      </div>
      <p>{description}</p>
      <details>
        <summary>Noise, map and backend</summary>
        <Slider
          label="Noise of the gradient (σ)"
          meaning="The standard deviation of what is added to each element of the gradient. All optimizers get the same noise."
          value={state.noise}
          min={0}
          max={10}
          onInput={(noise) => model.update({ noise: Math.max(0, noise) })}
        />
        <button
          type="button"
          disabled={state.noise === 0}
          onClick={() => model.update({ seed: state.seed + 1 })}
        >
          Other noise
        </button>
        {state.surface === ownSurface && <ExtentFields model={model} />}
        <BackendPicker value={state.backend} onChange={(backend) => model.update({ backend })} />
      </details>
    </div>
  );
}

/** The formula of the function. A change makes it the visitor's own. */
function FormulaField({ model }: RaceSettingsProps) {
  const id = useId();
  const { formula } = model.surface.value;
  const [text, setText] = useState(formula);
  const [fault, setFault] = useState<FormulaError>();
  useEffect(() => {
    setText((before) => (before.trim() === formula ? before : formula));
    setFault(undefined);
  }, [formula]);
  const change = (changed: string): void => {
    setText(changed);
    try {
      parseFormula(changed);
      setFault(undefined);
      const { extent } = model.surface.value;
      model.update({ surface: ownSurface, formula: changed.trim(), extent });
    } catch (error) {
      if (!(error instanceof FormulaError)) throw error;
      setFault(error);
    }
  };
  // A whole character, also one of two code units.
  const [marked = ""] = fault === undefined ? "" : text.slice(fault.column - 1);
  return (
    <div class="playground-formula">
      <label for={id}>f(x, y) =</label>
      <input
        id={id}
        type="text"
        value={text}
        spellcheck={false}
        autocomplete="off"
        aria-invalid={fault !== undefined}
        aria-describedby={`${id}-fault ${id}-help`}
        onInput={(event) => change(event.currentTarget.value)}
      />
      <small id={`${id}-help`}>
        {model.state.value.surface === ownSurface &&
          `x, y, numbers, ${Object.keys(constants).join(", ")}, + - * / ^ ( ) and ${Object.keys(functions).join(", ")}. The gradient follows by itself, exactly.`}
      </small>
      <p id={`${id}-fault`} role="status" class="playground-error">
        {fault !== undefined && (
          <>
            <code aria-hidden="true">
              {text.slice(Math.max(0, fault.column - 20), fault.column - 1)}
              <mark>{marked || "␣"}</mark>
              {text.slice(fault.column - 1 + marked.length, fault.column + 20)}
            </code>{" "}
            Column {fault.column}: {fault.message}
          </>
        )}
      </p>
    </div>
  );
}

const sides: readonly (readonly [keyof Extent, string])[] = [
  ["xMin", "x from"],
  ["xMax", "x to"],
  ["yMin", "y from"],
  ["yMax", "y to"],
];

function ExtentFields({ model }: RaceSettingsProps) {
  const { extent } = model.state.value;
  return (
    <fieldset class="playground-row">
      <legend>Map</legend>
      {sides.map(([side, label]) => (
        <label key={side}>
          {label}{" "}
          <NumberInput
            step="any"
            value={extent[side]}
            accepts={(number) => isExtent({ ...extent, [side]: number })}
            onChange={(number) => model.update({ extent: { ...extent, [side]: number } })}
          />
        </label>
      ))}
    </fieldset>
  );
}
