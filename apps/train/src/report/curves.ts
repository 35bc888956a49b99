import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Run } from "../run.js";

/** Both are custom properties of the page, so that the curves follow its light and dark colors. */
const training = "var(--training)";
const heldOut = "var(--held-out)";

/** At most this many points of the training loss are drawn; neighbouring steps are averaged. */
const finest = 240;

/** The losses over the epochs, on a logarithmic scale, as SVG. */
export function lossCurves({ stepLosses, stepsPerEpoch, history }: Run): string {
  const perPoint = Math.max(1, Math.ceil(stepLosses.length / finest));
  const steps = Array.from({ length: Math.floor(stepLosses.length / perPoint) }, (_, point) => {
    const part = stepLosses.slice(point * perPoint, (point + 1) * perPoint);
    return {
      epoch: ((point + 0.5) * perPoint) / stepsPerEpoch,
      loss: part.reduce((sum, loss) => sum + loss, 0) / part.length,
    };
  }).filter(({ loss }) => loss > 0 && loss < Infinity);
  const epochs = history.filter(
    ({ validationLoss }) => validationLoss > 0 && validationLoss < Infinity,
  );
  return draw(
    [0, stepLosses.length / stepsPerEpoch],
    { type: "log", label: "loss (nats)", tickFormat: String },
    [
      Plot.line(steps, { x: "epoch", y: "loss", stroke: training, strokeWidth: 1.25 }),
      Plot.line(epochs, { x: "epoch", y: "validationLoss", stroke: heldOut, strokeWidth: 2 }),
      Plot.dot(epochs, { x: "epoch", y: "validationLoss", fill: heldOut, r: 3 }),
    ],
  );
}

/** The accuracies after each epoch, as SVG. */
export function accuracyCurves({ history }: Run): string {
  const epochs = [...history];
  return draw([1, epochs.length], { label: "accuracy (%)", percent: true }, [
    Plot.line(epochs, { x: "epoch", y: "accuracy", stroke: training, strokeWidth: 2 }),
    Plot.dot(epochs, { x: "epoch", y: "accuracy", fill: training, r: 3 }),
    Plot.line(epochs, { x: "epoch", y: "validationAccuracy", stroke: heldOut, strokeWidth: 2 }),
    Plot.dot(epochs, { x: "epoch", y: "validationAccuracy", fill: heldOut, r: 3 }),
  ]);
}

function draw(
  [first, last]: [number, number],
  y: Plot.ScaleOptions,
  marks: Plot.Markish[],
): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const figure = Plot.plot({
    document,
    width: 520,
    height: 300,
    marginLeft: 48,
    marginBottom: 42,
    style: { background: "none", fontSize: "12px", fontFamily: "inherit" },
    x: {
      label: "epoch",
      domain: [first, last],
      ticks: epochTicks(first, last),
      tickFormat: String,
    },
    y: { grid: true, ...y },
    marks,
  });
  return figure.outerHTML;
}

/** Whole epochs, ten or so of them. */
function epochTicks(first: number, last: number): number[] {
  const apart = Math.ceil((last - first) / 10);
  return Array.from({ length: Math.floor(last) + 1 }, (_, epoch) => epoch).filter(
    (epoch) => epoch >= first && (epoch % apart === 0 || last - first < 1),
  );
}
