import asciichart from "asciichart";
import { axisNumber } from "../format.js";
import type { Run } from "../training/run.js";
import type { Screen } from "./screen.js";

const height = 10;
const labelWidth = 6;
/** Labels and the axis. */
const margin = labelWidth + 1;
/** Where a second curve is dots on the first. */
const columnsPerDot = 6;

/** Something that is marked on the curve, at the end of a step. */
interface Dot {
  /** Steps until then. */
  readonly step: number;
  readonly loss: number;
}

/**
 * The losses of a training as lines of text, on a logarithmic scale: a line for the steps, averaged where several share a
 * column, and a dot for the held-out loss after each epoch. Empty if there is nothing to draw.
 */
export function lossChart(
  run: Pick<Run, "stepLosses" | "history" | "stepsPerEpoch">,
  screen: Screen,
): string[] {
  const dots = run.history.map(({ epoch, validationLoss }) => ({
    step: epoch * run.stepsPerEpoch,
    loss: validationLoss,
  }));
  return chart(run, dots, screen, "training loss", "held-out loss, per epoch");
}

/**
 * The training losses of two runs in one chart: those of the first as a line, those of the second as dots on it, so that
 * it shows where the two agree. Empty if there is nothing to draw.
 */
export function overlaidLossChart(
  [line, dotted]: readonly [Run, Run],
  [lineName, dottedName]: readonly [string, string],
  screen: Screen,
): string[] {
  const perColumn = stepsPerColumn(line, screen);
  const means = columnMeans(dotted.stepLosses, perColumn);
  const dots = means.flatMap((loss, column) =>
    column % columnsPerDot === 0 ? [{ step: Math.floor((column + 1) * perColumn), loss }] : [],
  );
  return chart(line, dots, screen, lineName, dottedName);
}

function chart(
  { stepLosses, history, stepsPerEpoch }: Pick<Run, "stepLosses" | "history" | "stepsPerEpoch">,
  allDots: readonly Dot[],
  screen: Screen,
  lineName: string,
  dotName: string,
): string[] {
  const { paint } = screen;
  const isDrawable = (loss: number): boolean => loss > 0 && loss < Infinity;
  // A training that diverged is drawn up to the first loss that cannot be drawn.
  const end = stepLosses.findIndex((loss) => !isDrawable(loss));
  const losses = end === -1 ? stepLosses : stepLosses.slice(0, end);
  const perColumn = stepsPerColumn({ stepLosses: losses }, screen);
  const line = columnMeans(losses, perColumn).map(Math.log10);
  if (line.length < 2) return [];
  const columnAt = (step: number): number => Math.ceil(step / perColumn) - 1;
  const dots = allDots
    .filter(({ step, loss }) => step <= losses.length && isDrawable(loss))
    .map(({ step, loss }) => ({ column: columnAt(step), value: Math.log10(loss) }));

  const [min, max] = range([...line, ...dots.map(({ value }) => value)]);
  // With fewer, neighboring labels would be the same.
  const digits = max - min > 0.5 ? 2 : max - min > 0.05 ? 3 : 4;
  const rows = asciichart
    .plot(line, {
      min,
      max,
      height,
      offset: 2,
      symbols: ["┤", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"],
      format: (value) => axisNumber(10 ** value, digits).padStart(labelWidth),
    })
    .split("\n")
    .map((row) => Array.from(row.padEnd(margin + line.length)));
  // Rounded as asciichart does, so that a dot with a value of the line is on the line.
  const scaled = (value: number): number => Math.round((value * height) / (max - min));
  const painted = rows.map((row) =>
    row.map((character, column) =>
      column < margin ? paint.dim(character) : paint.cyan(character),
    ),
  );
  for (const { column, value } of dots) {
    painted[rows.length - 1 - (scaled(value) - scaled(min))][margin + column] = paint.yellow("●");
  }
  const epochEnds = history
    .map(({ epoch }) => ({ epoch, step: epoch * stepsPerEpoch }))
    .filter(({ step }) => step <= losses.length);
  const axis = epochAxis(
    epochEnds.map(({ epoch, step }) => ({ epoch, column: columnAt(step) })),
    line.length,
  );
  return [
    ...painted.map((row) => row.join("").trimEnd()),
    ...(axis === "" ? [] : [paint.dim(axis)]),
    ...legend(screen, lineName, dots.length > 0 ? dotName : undefined),
  ];
}

function legend({ paint, columns }: Screen, line: string, dots: string | undefined): string[] {
  const indent = " ".repeat(margin);
  const first = `${indent}${paint.cyan("──")} ${line}`;
  if (dots === undefined) return [first];
  const second = `${paint.yellow("●")} ${dots}`;
  const fits = margin + 3 + line.length + 3 + 2 + dots.length <= columns;
  return fits ? [`${first}   ${second}`] : [first, `${indent} ${second}`];
}

function stepsPerColumn({ stepLosses }: Pick<Run, "stepLosses">, screen: Screen): number {
  return Math.max(1, stepLosses.length / (screen.columns - margin - 3));
}

function columnMeans(values: readonly number[], perColumn: number): number[] {
  const columns = Math.round(values.length / perColumn);
  return Array.from({ length: columns }, (_, column) =>
    mean(values.slice(Math.floor(column * perColumn), Math.floor((column + 1) * perColumn))),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function range(values: readonly number[]): [number, number] {
  const min = Math.min(...values);
  const max = Math.max(...values);
  return max - min > 1e-3 ? [min, max] : [min - 1e-3, max + 1e-3];
}

/** A row with the number of each epoch below its end, without those that would touch. */
function epochAxis(
  epochs: readonly { readonly epoch: number; readonly column: number }[],
  width: number,
): string {
  const axis = new Array<string>(margin + width + 1).fill(" ");
  let free = 0;
  for (const { epoch, column } of epochs) {
    const text = String(epoch);
    const start = margin + column - text.length + 1;
    if (start < free) continue;
    axis.splice(start, text.length, ...text.split(""));
    free = start + text.length + 1;
  }
  return axis.join("").trimEnd();
}
