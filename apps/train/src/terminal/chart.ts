import { axisNumber, type Run } from "@gradstep/digits";
import asciichart from "asciichart";
import type { Screen } from "./screen.js";

const height = 10;
const rateHeight = 4;
const labelWidth = 6;
/** Labels and the axis. */
const margin = labelWidth + 1;
/** Where a second curve is dots on the first. */
const columnsPerDot = 6;

/** Something that is marked on the curve, at the end of a batch. */
interface Dot {
  /** Batches until then. */
  readonly batch: number;
  readonly loss: number;
}

/**
 * The losses of a training as lines of text, on a logarithmic scale: a line for the batches, averaged where several share a
 * column, and a dot for the held-out loss after each epoch. Empty if there is nothing to draw.
 */
export function lossChart(
  run: Pick<Run, "batchLosses" | "history" | "batchesPerEpoch">,
  screen: Screen,
): string[] {
  const dots = run.history.map(({ epoch, validationLoss }) => ({
    batch: epoch * run.batchesPerEpoch,
    loss: validationLoss,
  }));
  return chart(run, dots, ["training loss", "held-out loss, per epoch"], screen);
}

/**
 * The training losses of two runs in one chart: those of the first as a line, those of the second as dots on it, so that
 * it shows where the two agree. Empty if there is nothing to draw.
 */
export function overlaidLossChart(
  [line, dotted]: readonly [Run, Run],
  names: readonly [string, string],
  screen: Screen,
): string[] {
  const perColumn = batchesPerColumn(line.batchLosses.length, screen);
  const means = columnMeans(dotted.batchLosses, perColumn);
  const dots = means.flatMap((loss, column) =>
    column % columnsPerDot === 0 ? [{ batch: Math.floor((column + 1) * perColumn), loss }] : [],
  );
  return chart(line, dots, names, screen);
}

function chart(
  {
    batchLosses,
    history,
    batchesPerEpoch,
  }: Pick<Run, "batchLosses" | "history" | "batchesPerEpoch">,
  allDots: readonly Dot[],
  [lineName, dotName]: readonly [string, string],
  screen: Screen,
): string[] {
  const { paint } = screen;
  const isDrawable = (loss: number): boolean => loss > 0 && loss < Infinity;
  // A training that diverged is drawn up to the first loss that cannot be drawn.
  const end = batchLosses.findIndex((loss) => !isDrawable(loss));
  const losses = end === -1 ? batchLosses : batchLosses.slice(0, end);
  const perColumn = batchesPerColumn(losses.length, screen);
  const line = columnMeans(losses, perColumn).map(Math.log10);
  if (line.length < 2) return [];
  const columnAt = (batch: number): number => Math.ceil(batch / perColumn) - 1;
  const dots = allDots
    .filter(({ batch, loss }) => batch <= losses.length && isDrawable(loss))
    .map(({ batch, loss }) => ({ column: columnAt(batch), value: Math.log10(loss) }));

  const [min, max] = range([...line, ...dots.map(({ value }) => value)]);
  // With fewer, neighboring labels would be the same.
  const digits = max - min > 0.5 ? 2 : max - min > 0.05 ? 3 : 4;
  const label = (value: number): string => axisNumber(10 ** value, digits);
  const rows = plot(line, { min, max, height, label });
  // Rounded as asciichart does, so that a dot with a value of the line is on the line.
  const scaled = (value: number): number => Math.round((value * height) / (max - min));
  const painted = paintRows(rows, screen);
  for (const { column, value } of dots) {
    painted[rows.length - 1 - (scaled(value) - scaled(min))][margin + column] = paint.yellow("●");
  }
  const epochEnds = history
    .map(({ epoch }) => ({ epoch, batch: epoch * batchesPerEpoch }))
    .filter(({ batch }) => batch <= losses.length);
  const axis = epochAxis(
    epochEnds.map(({ epoch, batch }) => ({ epoch, column: columnAt(batch) })),
    line.length,
  );
  return [
    ...painted.map((row) => row.join("").trimEnd()),
    ...(axis === "" ? [] : [paint.dim(axis)]),
    ...legend(screen, lineName, dots.length > 0 ? dotName : undefined),
  ];
}

/**
 * The learning rate of each batch as lines of text, on a linear scale, in the columns of the loss chart. Empty if there is
 * nothing to draw, or if the rate is constant.
 */
export function learningRateChart(
  { learningRates }: Pick<Run, "learningRates">,
  screen: Screen,
): string[] {
  const perColumn = batchesPerColumn(learningRates.length, screen);
  const line = columnMeans(learningRates, perColumn);
  const [min, max] = [Math.min(...line), Math.max(...line)];
  if (line.length < 2 || !(max > min)) return [];
  const label = (value: number): string => axisNumber(value, 2);
  const rows = plot(line, { min, max, height: rateHeight, label });
  return paintRows(rows, screen).map((row) => row.join("").trimEnd());
}

/** The vertical axis of a chart. */
interface ValueAxis {
  readonly min: number;
  readonly max: number;
  /** Rows, less one. */
  readonly height: number;
  readonly label: (value: number) => string;
}

/** The characters of a chart: labels and an axis, then a column per value. */
function plot(line: readonly number[], { min, max, height: rows, label }: ValueAxis): string[][] {
  return asciichart
    .plot([...line], {
      min,
      max,
      height: rows,
      offset: 2,
      symbols: ["┤", "┤", "╶", "╴", "─", "╰", "╭", "╮", "╯", "│"],
      format: (value) => label(value).padStart(labelWidth),
    })
    .split("\n")
    .map((row) => Array.from(row.padEnd(margin + line.length)));
}

function paintRows(rows: readonly (readonly string[])[], { paint }: Screen): string[][] {
  return rows.map((row) =>
    row.map((character, column) =>
      column < margin ? paint.dim(character) : paint.cyan(character),
    ),
  );
}

function legend({ paint, columns }: Screen, line: string, dots: string | undefined): string[] {
  const indent = " ".repeat(margin);
  const first = `${indent}${paint.cyan("──")} ${line}`;
  if (dots === undefined) return [first];
  const second = `${paint.yellow("●")} ${dots}`;
  const fits = margin + 3 + line.length + 3 + 2 + dots.length <= columns;
  return fits ? [`${first}   ${second}`] : [first, `${indent} ${second}`];
}

function batchesPerColumn(batches: number, screen: Screen): number {
  return Math.max(1, batches / (screen.columns - margin - 3));
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
