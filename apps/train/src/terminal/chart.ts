import asciichart from "asciichart";
import type { Run } from "../run.js";
import type { Screen } from "./screen.js";

const height = 10;
const labelWidth = 6;
/** Labels and the axis. */
const margin = labelWidth + 1;

/**
 * The losses as lines of text, on a logarithmic scale: a line for the steps, averaged over as many as
 * share a column, and a dot for the held-out digits after each epoch. Empty when there is nothing to draw.
 */
export function lossChart(
  run: Pick<Run, "stepLosses" | "history" | "stepsPerEpoch">,
  screen: Screen,
): string[] {
  const { paint } = screen;
  const perColumn =
    run.stepLosses.length / Math.min(run.stepLosses.length, screen.columns - margin - 3);
  const line = columnMeans(run.stepLosses, perColumn).map(Math.log10);
  const dots = run.history.map(({ epoch, validationLoss }) => ({
    column: Math.ceil((epoch * run.stepsPerEpoch) / perColumn) - 1,
    value: Math.log10(validationLoss),
  }));
  const columns = dots.map(({ column }) => column);
  const values = [...line, ...dots.map(({ value }) => value)];
  if (line.length < 2 || !values.every(Number.isFinite)) return [];

  const [min, max] = range(values);
  const rows = asciichart
    .plot(line, {
      min,
      max,
      height,
      offset: 2,
      symbols: ["┤", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"],
      format: (value) =>
        Number((10 ** value).toPrecision(2))
          .toString()
          .padStart(labelWidth),
    })
    .split("\n")
    .map((row) => Array.from(row.padEnd(margin + line.length)));
  const ratio = (rows.length - 1) / (max - min);
  const painted = rows.map((row) =>
    row.map((character, column) =>
      column < margin ? paint.dim(character) : paint.cyan(character),
    ),
  );
  for (const { column, value } of dots) {
    painted[Math.round((max - value) * ratio)][margin + column] = paint.yellow("●");
  }
  return [
    ...painted.map((row) => row.join("").trimEnd()),
    paint.dim(epochAxis(columns, line.length)),
    `${" ".repeat(margin)}${paint.cyan("──")} loss of the training steps   ${paint.yellow("●")} held-out loss, by epoch`,
  ];
}

function columnMeans(values: readonly number[], perColumn: number): number[] {
  const columns = Math.round(values.length / perColumn);
  return Array.from({ length: columns }, (_, column) => {
    const part = values.slice(Math.floor(column * perColumn), Math.floor((column + 1) * perColumn));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

function range(values: readonly number[]): [number, number] {
  const min = Math.min(...values);
  const max = Math.max(...values);
  return max - min > 1e-3 ? [min, max] : [min - 1e-3, max + 1e-3];
}

/** A row with the number of each epoch below its end; those that would touch are left out. */
function epochAxis(columns: readonly number[], width: number): string {
  const axis = new Array<string>(margin + width + 1).fill(" ");
  let free = 0;
  columns.forEach((column, index) => {
    const text = String(index + 1);
    const start = margin + column - text.length + 1;
    if (start < free) return;
    axis.splice(start, text.length, ...text.split(""));
    free = start + text.length + 1;
  });
  return axis.join("").trimEnd();
}
