import { BackendPicker } from "../controls/backend-picker.js";
import { Slider } from "../controls/slider.js";
import { gradientKinds, ranges, type GradientKind, type MuonSettings } from "./settings.js";

const kindTitles: Readonly<Record<GradientKind, string>> = {
  spectrum: "Singular values in equal ratios",
  "few-directions": "Two strong directions",
  "rare-features": "Inputs that occur more and less often",
  random: "Random values",
};

interface MuonControlsProps {
  readonly settings: MuonSettings;
  readonly onChange: (changes: Partial<MuonSettings>) => void;
}

export function MuonControls({ settings, onChange }: MuonControlsProps) {
  const slider = (
    name: keyof typeof ranges,
    label: string,
    meaning: string,
    form: { readonly scale?: "log"; readonly isInteger?: boolean } = {},
  ) => {
    const [min, max] = ranges[name];
    const { scale = "linear", isInteger = false } = form;
    return (
      <Slider
        label={label}
        meaning={meaning}
        value={settings[name]}
        min={min}
        max={max}
        scale={scale}
        onInput={(value) => {
          const whole = isInteger ? Math.round(value) : value;
          onChange({ [name]: Math.min(max, Math.max(min, whole)) });
        }}
      />
    );
  };
  return (
    <form class="muon-controls" aria-label="Settings" onSubmit={(event) => event.preventDefault()}>
      <label class="muon-choice">
        Gradient
        <select
          value={settings.kind}
          onChange={(event) => onChange({ kind: event.currentTarget.value as GradientKind })}
        >
          {gradientKinds.map((kind) => (
            <option key={kind} value={kind}>
              {kindTitles[kind]}
            </option>
          ))}
        </select>
      </label>
      <label class="muon-choice">
        Polynomials
        <select
          value={settings.polynomials}
          onChange={(event) =>
            onChange({ polynomials: event.currentTarget.value as MuonSettings["polynomials"] })
          }
        >
          <option value="fixed">The same in each iteration (Jordan et al.)</option>
          <option value="polar-express">Polar Express (Amsel et al.)</option>
        </select>
      </label>
      {slider("iterations", "Iterations", "Newton–Schulz iterations per step.", {
        isInteger: true,
      })}
      {settings.kind !== "random" &&
        slider("condition", "Condition number", conditionMeaning[settings.kind], { scale: "log" })}
      {slider("rows", "Rows", "Outputs of the layer.", { isInteger: true })}
      {slider("columns", "Columns", "Inputs of the layer.", { isInteger: true })}
      {slider("steps", "Step", "Number of gradients that the averages have seen.", {
        isInteger: true,
      })}
      {slider("noise", "Noise", "Added to each step's gradient, relative to its root mean square.")}
      {slider("momentum", "Momentum", "Muon's μ: how much of the momentum is kept in a step.")}
      {slider("seed", "Seed", "Another matrix of the same kind.", { isInteger: true })}
      <BackendPicker value={settings.backend} onChange={(backend) => onChange({ backend })} />
    </form>
  );
}

const conditionMeaning = {
  spectrum: "The largest singular value over the smallest.",
  "few-directions": "The two strong singular values over the others.",
  "rare-features": "How often the first input occurs, over the last.",
} as const;
