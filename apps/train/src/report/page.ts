import { type Comparison, perStep, verdicts } from "../comparison.js";
import type { DigitSet } from "../digits.js";
import type { Configuration } from "../document.js";
import { mistakes } from "../evaluation.js";
import { count, duration, lossText, percent } from "../terminal/figures.js";
import type { Run } from "../run.js";
import { confusionTable } from "./confusion.js";
import { accuracyCurves, lossCurves } from "./curves.js";
import { digitFigures } from "./pictures.js";
import { style } from "./style.js";

export interface Report {
  readonly configuration: Configuration;
  readonly run: Run;
  readonly comparison?: Comparison | undefined;
  /** The digits that `run.evaluation` is about. */
  readonly heldOut: DigitSet;
}

/** A whole HTML page that loads nothing: style, curves and pictures are inside it, and it has no script. */
export function renderReport({ configuration, run, comparison, heldOut }: Report): string {
  const { evaluation } = run;
  const wrong = mistakes(evaluation);
  const steps = run.stepLosses.length;
  const { optimizer, backend, gpu, layers, learningRate, batchSize, seed, trainingDigits } =
    configuration;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${percent(evaluation.accuracy, 2)} · ${optimizer} · gradstep</title>
<style>${style}</style>
</head>
<body>
<h1>Handwritten digits, trained with ${optimizer}</h1>
<p class="quiet">${count(trainingDigits)} MNIST digits through a network of ${layers.join("-")} units (${count(configuration.parameters)} parameters);
gradstep and TF.js on ${backend}${gpu ? ` (${gpu.description})` : ""}; learning rate ${learningRate}, batches of ${batchSize}, seed ${seed}.</p>
${run.interrupted ? `<p>Stopped by hand after ${count(steps)} steps.</p>` : ""}
<div class="figures">
${tile(percent(evaluation.accuracy, 2), `of ${count(heldOut.count)} held-out digits right`)}
${tile(lossText(evaluation.loss), "held-out loss")}
${tile(duration(run.seconds), `training, ${count(steps)} steps`)}
${tile(steps > 0 ? percent(run.optimizerSeconds / run.seconds) : "–", "of it in the optimizer")}
</div>
${run.history.length > 0 ? curves(run) : ""}
<div class="pair">
<section><h2>What was taken for what</h2>
${confusionTable(evaluation)}
<p class="legend">A row for each digit, a column for what the network took it for.</p></section>
${run.history.length > 0 ? `<section><h2>Epoch by epoch</h2>${epochTable(run)}</section>` : ""}
</div>
${comparison ? `<section><h2>gradstep's Adam beside TF.js's</h2>${comparisonTable(comparison)}</section>` : ""}
${wrong.length > 0 ? `<section><h2>All ${count(wrong.length)} mistakes, the surest first</h2><div class="digits">\n${digitFigures(wrong, heldOut)}\n</div></section>` : ""}
<footer>Made by gradstep's trainer.</footer>
</body>
</html>
`;
}

function tile(figure: string, caption: string): string {
  return `<div><b>${figure}</b><span>${caption}</span></div>`;
}

function curves(run: Run): string {
  const legend = `<p class="legend"><span><i style="background: var(--training)"></i>training</span><span><i style="background: var(--held-out)"></i>held out</span></p>`;
  return `<div class="pair">
<section><h2>Loss</h2>${lossCurves(run)}${legend}</section>
<section><h2>Accuracy</h2>${accuracyCurves(run)}${legend}</section>
</div>`;
}

function epochTable({ history }: Run): string {
  const rows = history.map(
    ({ epoch, loss, accuracy, validationLoss, validationAccuracy, seconds }) => [
      String(epoch),
      lossText(loss),
      percent(accuracy),
      lossText(validationLoss),
      percent(validationAccuracy),
      duration(seconds),
    ],
  );
  return table([["", "loss", "accuracy", "held-out loss", "accuracy", "time"], ...rows]);
}

function comparisonTable(comparison: Comparison): string {
  const { contenders } = comparison;
  const rows = contenders.map(({ maker, backend, run }) => [
    `${maker} on ${backend}`,
    ...run.history.map(({ loss }) => lossText(loss)),
    ...new Array<string>(Math.max(0, contenders[0].run.history.length - run.history.length)).fill(
      "–",
    ),
    percent(run.evaluation.accuracy, 2),
    duration(run.seconds),
    `${(perStep(run) * 1000).toFixed(3)} ms`,
    percent(run.optimizerSeconds / run.seconds),
  ]);
  const epochs = contenders[0].run.history.map(({ epoch }) => `loss ${epoch}`);
  const sentences = verdicts(comparison).map((sentence) => `<p class="quiet">${sentence}</p>`);
  return (
    table([
      ["", ...epochs, "held-out accuracy", "training", "optimizer, a step", "its share"],
      ...rows,
    ]) + sentences.join("")
  );
}

function table([headings, ...rows]: readonly (readonly string[])[]): string {
  const head = headings.map((text) => `<th scope="col">${text}</th>`).join("");
  const body = rows.map(
    ([first, ...cells]) =>
      `<tr><th scope="row">${first}</th>${cells.map((text) => `<td>${text}</td>`).join("")}</tr>`,
  );
  return `<table class="rows"><thead><tr>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table>`;
}
