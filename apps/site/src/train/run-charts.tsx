import { useComputed } from "@preact/signals";
import { useId } from "preact/hooks";
import { Curves } from "../charts/curves.js";
import { accuracyCurves, lossCurves, rateCurves, type DrawnRun } from "./run-curves.js";
import { runStyles } from "./run-styles.js";
import type { RunList } from "./run-list.js";

interface RunChartsProps {
  readonly list: RunList;
  readonly smoothing: number;
  readonly onSmoothing: (smoothing: number) => void;
}

/** The curves of all runs that are shown. */
export function RunCharts({ list, smoothing, onSmoothing }: RunChartsProps) {
  const id = useId();
  const drawn = useComputed(() =>
    list.runs.value
      .filter((run) => !run.isHidden.value && run.batches.value > 0)
      .map((run): DrawnRun => ({
        label: run.name.value,
        ...runStyles[run.style],
        settings: run.settings,
        losses: run.losses,
        learningRates: run.learningRates,
        accuracies: run.history.value.map(({ validationAccuracy }) => validationAccuracy),
      })),
  ).value;
  if (drawn.length === 0) {
    return (
      <p class="train-empty">
        {list.runs.value.length === 0
          ? "Start a run to see its curves here."
          : "The curves of the shown runs appear here."}
      </p>
    );
  }
  const [losses, accuracies, rates] = [
    lossCurves(drawn, smoothing),
    accuracyCurves(drawn),
    rateCurves(drawn),
  ];
  return (
    <div class="train-charts">
      <figure class="train-chart-wide">
        <figcaption>
          Training loss
          <span class="train-smoothing">
            <label for={id}>Smoothing</label>
            <input
              id={id}
              type="range"
              min={0}
              max={0.99}
              step={0.01}
              value={smoothing}
              onInput={(event) => onSmoothing(event.currentTarget.valueAsNumber)}
            />
          </span>
        </figcaption>
        <Curves {...losses} xLabel="epochs" yLabel="training loss" scale="log" height={260} />
      </figure>
      <figure>
        <figcaption>Held-out accuracy</figcaption>
        <Curves {...accuracies} xLabel="epochs" yLabel="accuracy in %" height={200} />
      </figure>
      <figure>
        <figcaption>Learning rate</figcaption>
        <Curves {...rates} xLabel="epochs" yLabel="rate" scale="log" height={200} />
      </figure>
    </div>
  );
}
