import { Curves } from "../charts/curves.js";
import type { MuonPicture } from "./picture.js";

/** Singular values by iteration, and at the end beside those of the gradient and of Adam's update. */
export function SpectrumCharts({ gradient, iterates, adam }: MuonPicture) {
  const count = gradient.singularValues.length;
  const indices = gradient.singularValues.map((_, i) => i + 1);
  const relative = (values: readonly number[]) => values.map((value) => value / values[0]);
  return (
    <div class="muon-charts">
      <figure>
        <Curves
          x={iterates.map((_, k) => k)}
          xLabel="iterations"
          yLabel="singular value"
          curves={gradient.singularValues.map((_, i) => ({
            label: `σ${i + 1}`,
            color: `hsl(${210 + (150 * i) / Math.max(1, count - 1)} 65% 50%)`,
            values: iterates.map(({ singularValues }) => singularValues[i]),
          }))}
          hasLegend={false}
        />
        <figcaption>Each line is a singular value of Muon's matrix. All move towards 1.</figcaption>
      </figure>
      <figure>
        <Curves
          x={indices}
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
    </div>
  );
}
