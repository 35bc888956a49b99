import {
  type DigitSet,
  duration,
  lossText,
  milliseconds,
  percent,
  failureOf,
  batchCount,
  optimizerFraction,
  type Run,
} from "@gradstep/digits";
import { optimizers } from "@gradstep/digits/optimizers";
import { mistakes } from "@gradstep/digits/training";
import { count } from "@gradstep/apps-shared/format";
import { median } from "@gradstep/apps-shared/median";
import { backendTitles } from "../backend.js";
import type { Comparison } from "../comparison/compare.js";
import { type Configuration, settingsText } from "../document.js";
import { comparisonSections } from "./comparison.js";
import { confusionTable } from "./confusion.js";
import { accuracyCurves, learningRateCurve, lossCurves } from "./curves.js";
import { escapeHtml, legend, section, table, tile, withOptions } from "./html.js";
import { mistakeFigures } from "./mistakes.js";
import type { Origin } from "./origin.js";
import { failureNotice } from "./failure-notice.js";
import { styleSheet } from "./style-sheet.js";

export interface Report {
  readonly configuration: Configuration;
  readonly run: Run;
  readonly comparison?: Comparison | undefined;
  /** The digits that `run.evaluation` is about. */
  readonly heldOut: DigitSet;
  readonly origin: Origin;
}

/** A whole HTML page that loads nothing: styles, curves and images are inside it, and it has no script. */
export function renderReport(report: Report): string {
  const { configuration, run, comparison, heldOut, origin } = report;
  const optimizer = `gradstep ${optimizers[configuration.optimizer].title}`;
  const backend = backendTitles[configuration.backend];
  const title =
    comparison === undefined
      ? `Training a digit classifier · ${optimizer} · ${backend}`
      : "Training a digit classifier · gradstep Adam and TF.js Adam";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${styleSheet}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="quiet">${trainingText(configuration)}</p>
</header>
${comparison === undefined ? "" : `${comparisonSections(comparison)}\n<h2 class="part">The training with ${optimizer} on ${backend}</h2>`}
${runSections(run, heldOut)}
<footer>${footerText(origin)}</footer>
</body>
</html>
`;
}

function trainingText(configuration: Configuration): string {
  const { gpu, layers, learningRate, batchSize, seed, epochs } = configuration;
  const others = settingsText(configuration);
  const device = gpu === undefined ? "" : `, on ${escapeHtml(gpu.description)}`;
  return `${count(configuration.trainingDigits)} MNIST digits, a network of ${layers.join("-")} units (${count(configuration.parameters, "parameter")})${device}; ${count(epochs, "epoch")} in batches of ${batchSize}, learning rate ${learningRate}, seed ${seed}${others === "" ? "" : `, ${escapeHtml(others)}`}.`;
}

function footerText({ date, version, command, platform }: Origin): string {
  const minutes = `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `<code>${withOptions(escapeHtml(command))}</code><br>gradstep ${version} · ${minutes} · ${platform}`;
}

/** The sections about one training. */
function runSections(run: Run, heldOut: DigitSet): string {
  const { evaluation, batchLosses, seconds, optimizerTimes } = run;
  const failure = failureOf(run);
  const notices = [
    failure && failureNotice(failure),
    run.interrupted && `<p class="notice">Stopped by Ctrl-C after ${batchCount(run)}.</p>`,
  ].filter(Boolean);
  return `${notices.join("\n")}
<div class="figures">
${tile(percent(evaluation.accuracy), `accuracy on ${count(heldOut.count)} held-out digits`)}
${tile(lossText(evaluation.loss), "held-out loss")}
${tile(duration(seconds), `training time, ${batchCount(run)}`)}
${batchLosses.length > 0 ? tile(milliseconds(median(optimizerTimes)), `in the optimizer per batch, ${percent(optimizerFraction(run), 1)} of the time`) : ""}
</div>
<div class="cards">
${cards(run, heldOut).join("\n")}
</div>`;
}

const namedColors = [
  ["first", "training"],
  ["second", "held-out"],
] as const;

/** Cards for a grid of two columns: curves, the confusion matrix, the mistakes; the table of epochs in the whole width. */
function cards(run: Run, heldOut: DigitSet): string[] {
  const { evaluation, history, batchLosses } = run;
  const wrong = mistakes(evaluation);
  const halves: string[] = [];
  if (batchLosses.length > 1) {
    const colors = legend(history.length > 0 ? namedColors : namedColors.slice(0, 1));
    halves.push(section("Loss", `${lossCurves(run)}${colors}`));
  }
  const hasRates = new Set(run.learningRates).size > 1;
  if (hasRates) {
    halves.push(section("Learning rate", learningRateCurve(run)));
  }
  // A single epoch does not make a curve.
  if (history.length > 1) {
    halves.push(section("Accuracy", `${accuracyCurves(run)}${legend(namedColors)}`));
  }
  halves.push(section("Confusion matrix", confusionTable(evaluation)));
  // The predictions of a network that failed to learn are not worth showing.
  if (failureOf(run) === undefined && wrong.length > 0) {
    const isLeftOver = halves.length % 2 === 0;
    halves.push(section("Mistakes", mistakeFigures(wrong, heldOut), isLeftOver ? "wide" : ""));
  }
  const epochs = history.length > 0 ? [section("Epochs", epochTable(run), "wide")] : [];
  // In whole rows, after the last one with a curve.
  const before = history.length > 1 && hasRates ? 4 : 2;
  return [...halves.slice(0, before), ...epochs, ...halves.slice(before)];
}

function epochTable({ history }: Run): string {
  const rows = history.map(
    ({ epoch, loss, accuracy, validationLoss, validationAccuracy, seconds }) => [
      String(epoch),
      percent(validationAccuracy),
      lossText(validationLoss),
      percent(accuracy),
      lossText(loss),
      duration(seconds),
    ],
  );
  const headings = [
    "epoch",
    "held\u2011out accuracy",
    "held\u2011out loss",
    "training accuracy",
    "training loss",
    "time",
  ];
  return table([headings, ...rows]);
}
