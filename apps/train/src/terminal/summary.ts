import {
  duration,
  milliseconds,
  percent,
  type Prediction,
  failureOf,
  failureText,
  batchCount,
  optimizerFraction,
  optimizerSeconds,
  type Run,
} from "@gradstep/digits";
import { mistakes } from "@gradstep/digits/training";
import { count } from "@gradstep/apps-shared/format";
import { median } from "@gradstep/apps-shared/median";
import { learningRateChart, lossChart } from "./chart.js";
import { digitRow } from "./digits.js";
import type { Screen } from "./screen.js";

/** Prints the result of a training: the loss chart, some digits, and the figures. */
export function printSummary(run: Run, heldOutPixels: Float32Array, screen: Screen): void {
  const { evaluation } = run;
  const { paint } = screen;
  const wrong = mistakes(evaluation);
  const total = evaluation.predictions.length;
  const failure = failureOf(run);

  printSection(screen, "Loss, on a logarithmic scale", lossChart(run, screen));
  printSection(screen, "Learning rate", learningRateChart(run, screen));
  // The predictions of a network that failed to learn are not worth showing.
  if (failure === undefined) {
    printSection(
      screen,
      "Held-out digits: predicted / actual, confidence",
      digitRow(oneOfEachDigit(run), heldOutPixels, screen),
    );
    if (wrong.length > 0) {
      printSection(
        screen,
        "Mistakes, highest confidence first",
        digitRow(wrong, heldOutPixels, screen),
      );
    }
  }

  screen.print();
  if (failure !== undefined) {
    screen.printWrapped(failureText(failure), (line) => paint.bold(paint.red(line)));
    screen.printWrapped(failure.remedy, paint.yellow);
  }
  if (run.interrupted) {
    screen.printWrapped(`Stopped by Ctrl-C after ${batchCount(run)}.`, paint.yellow);
  }
  const accuracy = percent(evaluation.accuracy);
  const painted = paint.bold(failure === undefined ? paint.green(accuracy) : paint.red(accuracy));
  screen.printWrapped(
    `${accuracy} accuracy on ${count(total)} held-out digits (${count(wrong.length, "mistake")})`,
    (line) => line.replace(accuracy, painted),
  );
  printTiming(run, screen);
}

export function printSection(screen: Screen, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  screen.print();
  screen.printWrapped(title, screen.paint.bold);
  screen.print();
  for (const line of lines) screen.print(line);
}

function printTiming(run: Run, screen: Screen): void {
  const { seconds, optimizerTimes } = run;
  if (optimizerTimes.length === 0) return;
  screen.print(`${batchCount(run)} in ${duration(seconds)}`);
  screen.printWrapped(
    `Optimizer: ${duration(optimizerSeconds(run))} of it (${percent(optimizerFraction(run), 1)}), median ${milliseconds(median(optimizerTimes))} per batch`,
  );
}

/** A correct prediction of each digit, in order, without the digits that are never predicted correctly. */
function oneOfEachDigit({ evaluation }: Run): Prediction[] {
  return evaluation.confusion.flatMap((_, digit) => {
    const found = evaluation.predictions.find(
      ({ actual, predicted }) => actual === digit && predicted === digit,
    );
    return found ? [found] : [];
  });
}
