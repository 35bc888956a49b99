import { mistakes } from "../evaluation.js";
import type { Run } from "../run.js";
import { lossChart } from "./chart.js";
import { digitRow } from "./drawing.js";
import { count, duration, percent } from "./figures.js";
import type { Screen } from "./screen.js";

/** Prints what came of a training: the loss chart, some digits, and the figures. */
export function printSummary(run: Run, heldOutPixels: Float32Array, screen: Screen): void {
  const { evaluation } = run;
  const { paint } = screen;
  const section = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) screen.print(["", paint.bold(title), "", ...lines].join("\n"));
  };
  const wrong = mistakes(evaluation);
  const total = evaluation.predictions.length;

  const diverged = !Number.isFinite(evaluation.loss);

  section("Loss, on a logarithmic scale", lossChart(run, screen));
  if (!diverged) {
    section("Some held-out digits", digitRow(rightOnes(run), heldOutPixels, screen));
    if (wrong.length > 0)
      section("The mistakes it was surest of", digitRow(wrong, heldOutPixels, screen));
  }

  screen.print();
  if (diverged)
    screen.print(
      paint.yellow("The weights are no finite numbers any more; a lower --learning-rate may help."),
    );
  if (run.interrupted)
    screen.print(paint.yellow(`Stopped after ${stepsText(run.stepLosses.length)}, as you asked.`));
  screen.print(
    `${paint.bold(paint.green(percent(evaluation.accuracy, 2)))} of ${count(total)} held-out digits are right, ${count(wrong.length)} ${wrong.length === 1 ? "is" : "are"} wrong.`,
  );
  screen.print(timing(run));
}

function timing({ stepLosses, seconds, optimizerSeconds }: Run): string {
  const steps = stepLosses.length;
  if (steps === 0) return "No step was taken.";
  const perStep = ((optimizerSeconds * 1000) / steps).toFixed(3);
  const share = percent(optimizerSeconds / seconds);
  return `${stepsText(steps)} in ${duration(seconds)}.\nThe optimizer took ${duration(optimizerSeconds)} of it (${share}), ${perStep} ms a step.`;
}

function stepsText(steps: number): string {
  return `${count(steps)} step${steps === 1 ? "" : "s"}`;
}

/** One digit of each class that the network knows, in order; the classes it never gets right are left out. */
function rightOnes({ evaluation }: Run): Run["evaluation"]["predictions"] {
  return evaluation.confusion.flatMap((_, digit) => {
    const found = evaluation.predictions.find(
      ({ label, predicted }) => label === digit && predicted === digit,
    );
    return found ? [found] : [];
  });
}
