import { type Comparison, perStep, verdicts } from "../comparison.js";
import { duration, lossText, percent } from "./figures.js";
import type { Screen } from "./screen.js";
import { alignColumns } from "./table.js";

/** Prints the contenders side by side: a column for each, the losses by epoch and then the times. */
export function printComparison(comparison: Comparison, screen: Screen): void {
  const { contenders } = comparison;
  const { paint } = screen;
  const runs = contenders.map(({ run }) => run);
  const epochs = Math.max(0, ...runs.map(({ history }) => history.length));
  const each = (text: (run: (typeof runs)[number]) => string): string[] => runs.map(text);
  const rows = [
    ["", ...contenders.map(({ maker }) => maker)],
    ["", ...contenders.map(({ backend }) => `on ${backend}`)],
    ...Array.from({ length: epochs }, (_, epoch) => [
      `loss, epoch ${epoch + 1}`,
      ...each(({ history }) => (history[epoch] ? lossText(history[epoch].loss) : "-")),
    ]),
    ["held-out loss", ...each(({ evaluation }) => lossText(evaluation.loss))],
    ["held-out accuracy", ...each(({ evaluation }) => percent(evaluation.accuracy, 2))],
    ["training", ...each(({ seconds }) => duration(seconds))],
    ["in the optimizer", ...each(({ optimizerSeconds }) => duration(optimizerSeconds))],
    ["its share", ...each(({ optimizerSeconds, seconds }) => percent(optimizerSeconds / seconds))],
    ["a step of it", ...each((run) => `${(perStep(run) * 1000).toFixed(3)} ms`)],
  ];
  const [makers, backends, ...rest] = alignColumns(rows);
  screen.print();
  screen.print(paint.bold(makers));
  screen.print(paint.dim(backends));
  for (const line of rest) screen.print(line);
  screen.print();
  for (const sentence of verdicts(comparison)) {
    // In two lines, or it is too long for 80 columns.
    screen.print(sentence.replace("; ", ";\n"));
  }
}
