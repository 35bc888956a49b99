import { pixelsPerDigit, side } from "../digits.js";
import type { Prediction } from "../evaluation.js";
import type { Screen } from "./screen.js";

/** A drawn digit is this many characters wide and half as many high: a character shows two points. */
export const drawingWidth: number = side / 2;
const gap = 2;

/** Draws a digit, four pixels to a point, in shades of gray where there are any and as ink elsewhere. */
export function drawDigit(pixels: Float32Array, shades: boolean): string[] {
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
      return shades ? `\x1b[38;5;${gray(upper)};48;5;${gray(lower)}m▀` : halfBlock(upper, lower);
    });
    return cells.join("") + (shades ? "\x1b[0m" : "");
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

/** As many of the digits as fit in a row, each with what the network took it for. */
export function digitRow(
  predictions: readonly Prediction[],
  pixels: Float32Array,
  screen: Screen,
): string[] {
  const shown = predictions.slice(0, Math.floor((screen.columns + gap) / (drawingWidth + gap)));
  const drawings = shown.map(({ index }) =>
    drawDigit(pixels.subarray(index * pixelsPerDigit, (index + 1) * pixelsPerDigit), screen.shades),
  );
  const captions = shown.map((prediction) => caption(prediction, screen));
  const lines = (drawings[0] ?? []).map((_, line) =>
    drawings.map((drawing) => drawing[line]).join(" ".repeat(gap)),
  );
  return [...lines, captions.join(" ".repeat(gap))];
}

function caption({ label, predicted, confidence }: Prediction, { paint }: Screen): string {
  const right = label === predicted;
  const sure = `${Math.round(confidence * 100)}%`;
  const text = right ? `✓ ${predicted}` : `✗ ${predicted}, is ${label}`;
  const padding = " ".repeat(Math.max(0, drawingWidth - text.length - sure.length));
  return (right ? paint.green(text) : paint.red(text)) + padding + paint.dim(sure);
}
