import { pixelsPerDigit, side, percent, type Prediction } from "@gradstep/digits";
import type { Screen } from "./screen.js";

/** Characters per line of a drawn digit. Each character shows two points, so it has half as many lines. */
export const drawingWidth: number = side / 2;
const gap = 2;

/** Draws a digit, four pixels to a point: in shades of gray if the screen has them, else in black and white. */
export function drawDigit(pixels: Float32Array, hasGrays: boolean): string[] {
  const point = (row: number, column: number): number => {
    const first = 2 * row * side + 2 * column;
    return (
      (pixels[first] + pixels[first + 1] + pixels[first + side] + pixels[first + side + 1]) / 4
    );
  };
  return Array.from({ length: drawingWidth / 2 }, (_, row) => {
    const cells = Array.from({ length: drawingWidth }, (_, column) => {
      const upper = point(2 * row, column);
      const lower = point(2 * row + 1, column);
      return hasGrays ? `\x1b[38;5;${gray(upper)};48;5;${gray(lower)}m▀` : halfBlock(upper, lower);
    });
    return cells.join("") + (hasGrays ? "\x1b[0m" : "");
  });
}

/** The 24 grays of the 256 colors begin at 232. */
function gray(ink: number): number {
  return 232 + Math.round(ink * 23);
}

function halfBlock(upper: number, lower: number): string {
  const ink = 0.35;
  if (upper > ink) return lower > ink ? "█" : "▀";
  return lower > ink ? "▄" : " ";
}

/** The digits that fit in one row, each with "predicted / actual" and the network's confidence below it. */
export function digitRow(
  predictions: readonly Prediction[],
  pixels: Float32Array,
  screen: Screen,
): string[] {
  const fit = Math.max(1, Math.floor((screen.columns + gap) / (drawingWidth + gap)));
  const shown = predictions.slice(0, fit);
  const drawings = shown.map(({ index }) =>
    drawDigit(
      pixels.subarray(index * pixelsPerDigit, (index + 1) * pixelsPerDigit),
      screen.hasGrays,
    ),
  );
  const captions = shown.map((prediction) => caption(prediction, screen));
  const lines = (drawings[0] ?? []).map((_, line) =>
    drawings.map((drawing) => drawing[line]).join(" ".repeat(gap)),
  );
  return [...lines, captions.join(" ".repeat(gap))];
}

function caption({ predicted, actual, confidence }: Prediction, { paint }: Screen): string {
  const isCorrect = predicted === actual;
  const text = `${isCorrect ? "✓" : "✗"} ${predicted} / ${actual}`;
  const sure = percent(confidence, 0);
  const padding = " ".repeat(Math.max(0, drawingWidth - text.length - sure.length));
  return (isCorrect ? paint.green(text) : paint.red(text)) + padding + paint.dim(sure);
}
