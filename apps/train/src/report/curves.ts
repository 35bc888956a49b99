import { axisNumber, type Run } from "@gradstep/digits";
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** Custom properties of the page, so that the curves follow its light and dark colors. */
const blue = "var(--first)";
const orange = "var(--second)";

/** At most this many points of a training loss are drawn; each is the mean of neighboring batches. */
const maxPoints = 240;

/**
 * Charts are drawn twice, and the page shows the one that suits its width: scaled down to a phone, the labels of the wide
 * one would be too small to read.
 */
const sizes = [
  { name: "wide", width: 520, height: 300 },
  { name: "narrow", width: 330, height: 240 },
] as const;

interface Point {
  readonly epoch: number;
  readonly loss: number;
}

/** The training losses and the held-out losses over the epochs, on a logarithmic scale, as SVG. */
export function lossCurves(run: Run): string {
  const { history } = run;
  const epochs = history.filter(({ validationLoss }) => isDrawable(validationLoss));
  return draw([0, epochsIn(run)], lossScale, [
    Plot.line(trainingLosses(run), { x: "epoch", y: "loss", stroke: blue, strokeWidth: 1.25 }),
    Plot.line(epochs, { x: "epoch", y: "validationLoss", stroke: orange, strokeWidth: 2 }),
    Plot.dot(epochs, { x: "epoch", y: "validationLoss", fill: orange, r: 3 }),
  ]);
}

/** The training losses of two runs: the second as a thin line on a broad one, so that both show where they agree. */
export function overlaidLossCurves(first: Run, second: Run): string {
  const line = { x: "epoch", y: "loss" };
  return draw([0, Math.max(epochsIn(first), epochsIn(second))], lossScale, [
    Plot.line(trainingLosses(first), {
      ...line,
      stroke: blue,
      strokeWidth: 6,
      strokeOpacity: 0.45,
      strokeLinejoin: "round",
    }),
    Plot.line(trainingLosses(second), { ...line, stroke: orange, strokeWidth: 1.25 }),
  ]);
}

/** The learning rate over the epochs, as SVG. */
export function learningRateCurve(run: Run): string {
  const { learningRates, batchesPerEpoch } = run;
  const points = learningRates.map((learningRate, batch) => ({
    epoch: batch / batchesPerEpoch,
    learningRate,
  }));
  const every = Math.max(1, Math.ceil(points.length / maxPoints));
  return draw([0, epochsIn(run)], rateScale, [
    Plot.line(
      points.filter((_, batch) => batch % every === 0 || batch === points.length - 1),
      { x: "epoch", y: "learningRate", stroke: blue, strokeWidth: 2 },
    ),
  ]);
}

/** The accuracies after each epoch, as SVG. */
export function accuracyCurves({ history }: Run): string {
  const epochs = [...history];
  return draw([1, epochs.length], { label: "accuracy (%)", percent: true }, [
    Plot.line(epochs, { x: "epoch", y: "accuracy", stroke: blue, strokeWidth: 2 }),
    Plot.dot(epochs, { x: "epoch", y: "accuracy", fill: blue, r: 3 }),
    Plot.line(epochs, { x: "epoch", y: "validationAccuracy", stroke: orange, strokeWidth: 2 }),
    Plot.dot(epochs, { x: "epoch", y: "validationAccuracy", fill: orange, r: 3 }),
  ]);
}

const lossScale = {
  type: "log",
  label: "loss (nats)",
  tickFormat: (loss: number) => axisNumber(loss),
  ticks: 5,
} as const;

const rateScale = {
  zero: true,
  // The card has it as its title.
  label: null,
  tickFormat: (rate: number) => axisNumber(rate),
  ticks: 5,
} as const;

function isDrawable(loss: number): boolean {
  return loss > 0 && loss < Infinity;
}

function epochsIn({ batchLosses, batchesPerEpoch }: Run): number {
  return batchLosses.length / batchesPerEpoch;
}

function trainingLosses({ batchLosses, batchesPerEpoch }: Run): Point[] {
  const perPoint = Math.max(1, Math.ceil(batchLosses.length / maxPoints));
  return Array.from({ length: Math.floor(batchLosses.length / perPoint) }, (_, point) => {
    const losses = batchLosses.slice(point * perPoint, (point + 1) * perPoint);
    return {
      epoch: ((point + 0.5) * perPoint) / batchesPerEpoch,
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    };
  }).filter(({ loss }) => isDrawable(loss));
}

function draw(domain: [number, number], y: Plot.ScaleOptions, marks: Plot.Markish[]): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  return sizes
    .map(({ name, width, height }) => {
      const svg = Plot.plot({
        document,
        width,
        height,
        marginLeft: 46,
        marginRight: 12,
        marginBottom: 40,
        style: { background: "none", fontSize: "12px", fontFamily: "inherit" },
        x: {
          label: "epoch",
          domain,
          ticks: epochTicks(domain, name === "wide" ? 10 : 5),
          tickFormat: String,
        },
        y: { grid: true, ...y },
        marks,
      });
      return `<div class="${name}">${svg.outerHTML}</div>`;
    })
    .join("\n");
}

/** Whole epochs, about as many as `max`. */
function epochTicks([first, last]: [number, number], max: number): number[] {
  const interval = Math.ceil((last - first) / max);
  return Array.from({ length: Math.floor(last) + 1 }, (_, epoch) => epoch).filter(
    (epoch) => epoch >= first && (epoch % interval === 0 || last - first < 1),
  );
}
