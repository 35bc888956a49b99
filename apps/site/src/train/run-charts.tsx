import { useComputed, type ReadonlySignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { Curves } from "../charts/curves.js";
import { accuracyCurves, lossCurves, rateCurves, type DrawnRun } from "./run-curves.js";
import { runStyles } from "./run-styles.js";
import type { Run } from "./run.js";
import type { RunList } from "./run-list.js";
import { useThrottled } from "./throttled.js";

interface RunChartsProps {
  readonly list: RunList;
  readonly smoothing: number;
  readonly onSmoothing: (smoothing: number) => void;
}

/** Curves of batches are drawn at most once in that many milliseconds, however many runs train. */
const drawEvery = 200;

/** The curves of all runs that are shown. */
export function RunCharts({ list, smoothing, onSmoothing }: RunChartsProps) {
  const id = useId();
  const shown = useComputed(() =>
    list.runs.value.filter((run) => run.hasBegun.value && !run.isHidden.value),
  );
  const batches = useComputed(() => shown.value.reduce((sum, run) => sum + run.batches.value, 0));
  const progress = useThrottled(batches, drawEvery);
  if (shown.value.length === 0) {
    return (
      <p class="train-empty">
        {list.runs.value.length === 0
          ? "Start a run to see its curves here."
          : "The curves of the shown runs appear here."}
      </p>
    );
  }
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
        <LossChart shown={shown} progress={progress} smoothing={smoothing} />
      </figure>
      <figure>
        <figcaption>Held-out accuracy</figcaption>
        <AccuracyChart shown={shown} />
      </figure>
      <figure>
        <figcaption>Learning rate</figcaption>
        <RateChart shown={shown} progress={progress} />
      </figure>
    </div>
  );
}

interface ChartProps {
  readonly shown: ReadonlySignal<readonly Run[]>;
  /** Changes when there are new batches to draw. */
  readonly progress: ReadonlySignal<number>;
}

function LossChart({ shown, progress, smoothing }: ChartProps & { readonly smoothing: number }) {
  void progress.value;
  const losses = lossCurves(shown.value.map(drawn), smoothing);
  return <Curves {...losses} xLabel="epochs" yLabel="training loss" scale="log" height={260} />;
}

function RateChart({ shown, progress }: ChartProps) {
  void progress.value;
  const rates = rateCurves(shown.value.map(drawn));
  return <Curves {...rates} xLabel="epochs" yLabel="rate" scale="log" height={200} />;
}

/** Changes with the epochs, not with the batches. */
function AccuracyChart({ shown }: Pick<ChartProps, "shown">) {
  const accuracies = accuracyCurves(shown.value.map(drawn));
  return <Curves {...accuracies} xLabel="epochs" yLabel="accuracy in %" height={200} />;
}

function drawn(run: Run): DrawnRun {
  return {
    label: run.name.value,
    ...runStyles[run.style],
    settings: run.settings,
    losses: run.losses,
    learningRates: run.learningRates,
    accuracies: run.history.value.map(({ validationAccuracy }) => validationAccuracy),
  };
}
