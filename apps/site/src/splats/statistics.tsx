import { Curves } from "../charts/curves.js";
import type { Progress } from "./fitting.js";
import type { Report } from "./trainer.js";
import { recordEvery } from "./training-settings.js";

const decibels = (value: number): string => `${value.toFixed(1)} dB`;

/** A sentence about a training. */
export function summary({ step, steps, report }: Progress): string {
  const psnr = report.psnr.at(-1)!;
  return `${report.counts.at(-1)} splats after ${step} of ${steps} steps: ${decibels(psnr)}.`;
}

function gpuTime({ hasTimestamps, gpuMilliseconds }: Report): string {
  if (hasTimestamps === false) return "has no timestamps";
  return gpuMilliseconds === undefined ? "–" : `${gpuMilliseconds.toFixed(2)} ms`;
}

/** The numbers and curves of a training. */
export function Statistics({ step, steps, report }: Progress) {
  const { psnr, counts, rounds, pruned, split } = report;
  const x = psnr.map((_, i) => i * recordEvery);
  const numbers: readonly (readonly [string, string])[] = [
    ["Step", `${step} of ${steps}`],
    ["PSNR", decibels(psnr.at(-1)!)],
    ["Splats", String(counts.at(-1))],
    ["Rounds", String(rounds)],
    ["Pruned, split", `${pruned}, ${split}`],
    ...(report.hasTimestamps === undefined ? [] : [["GPU, per step", gpuTime(report)] as const]),
  ];
  return (
    <>
      <dl class="splats-numbers">
        {numbers.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="splats-curves">
        <Curves
          x={x}
          curves={[{ label: "PSNR", color: "#3b82f6", values: psnr }]}
          xLabel="Steps"
          yLabel="PSNR in dB"
          height={200}
        />
        <Curves
          x={x}
          curves={[{ label: "Splats", color: "#d97706", values: counts }]}
          xLabel="Steps"
          yLabel="Number of splats"
          height={200}
        />
      </div>
    </>
  );
}
