import { Curves } from "../charts/curves.js";
import type { MuonPicture } from "./picture.js";

/** Singular values by iteration. */
export function IterationChart({ gradient, iterates }: Omit<MuonPicture, "adam">) {
  const count = gradient.singularValues.length;
  return (
    <figure>
      <Curves
        x={iterates.map((_, k) => k)}
        xLabel="iterations"
        yLabel="singular value"
        height={matchMedia("(max-width: 1099px)").matches ? 170 : 280}
        curves={gradient.singularValues.map((_, i) => ({
          label: `σ${i + 1}`,
          color: `hsl(${210 + (150 * i) / Math.max(1, count - 1)} 65% 50%)`,
          values: iterates.map(({ singularValues }) => singularValues[i]),
        }))}
        hasLegend={false}
      />
      <figcaption>Each line is a singular value of Muon's matrix. All move towards 1.</figcaption>
    </figure>
  );
}

/** Singular values at the end, beside those of the gradient and of Adam's update. */
export function SpectrumChart({ gradient, iterates, adam }: MuonPicture) {
  const relative = (values: readonly number[]) => values.map((value) => value / values[0]);
  return (
    <figure>
      <Curves
        x={gradient.singularValues.map((_, i) => i + 1)}
        xLabel="singular value, by size"
        yLabel="relative to the largest"
        scale="log"
        curves={[
          { label: "gradient", color: "#7f7f7f", values: relative(gradient.singularValues) },
          { label: "Muon", color: "#d95f02", values: relative(iterates.at(-1)!.singularValues) },
          { label: "Adam", color: "#2166ac", values: relative(adam.singularValues) },
        ]}
      />
      <figcaption>Muon's update is as strong in every direction; Adam's is not.</figcaption>
    </figure>
  );
}
