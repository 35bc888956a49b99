import type { LineStyle } from "../charts/chart.js";

/** How a run is drawn. */
export interface RunStyle {
  /** A CSS color. */
  readonly color: string;
  readonly line: LineStyle;
}

/** Each has a contrast of at least 3 to the light and to the dark background. */
const colors = [
  "#2f7de1",
  "#d9480f",
  "#0f9960",
  "#9c5fd6",
  "#b7860b",
  "#d6338a",
  "#0e9aa7",
  "#7a8288",
] as const;

/** The styles of runs, in the order in which they are given away: a color comes again with another line. */
export const runStyles: readonly RunStyle[] = (["solid", "dashed", "dotted"] as const).flatMap(
  (line) => colors.map((color) => ({ color, line })),
);
