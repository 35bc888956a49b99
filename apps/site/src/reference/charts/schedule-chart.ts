import type { Schedule } from "@gradstep/core";
import { renderVegaLite, type Pictures } from "./render.js";
import { axisStyle, font } from "./themes.js";

/** The values of a schedule over steps. */
export function scheduleChart(schedule: Schedule, steps: number): Promise<Pictures> {
  const values = Array.from({ length: steps + 1 }, (_, step) => ({
    step,
    value: schedule.valueAt(step),
  }));
  return renderVegaLite((colors) => ({
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    width: 300,
    height: 130,
    padding: 4,
    background: "transparent",
    data: { values },
    mark: { type: "line", strokeWidth: 2, color: colors.own, interpolate: "step-after" },
    encoding: {
      x: {
        field: "step",
        type: "quantitative",
        title: "step",
        scale: { domain: [0, steps], nice: false },
        axis: { grid: false, tickCount: 5 },
      },
      y: {
        field: "value",
        type: "quantitative",
        title: null,
        scale: { zero: true },
        axis: { tickCount: 4, format: "~g" },
      },
    },
    config: {
      font,
      view: { stroke: null },
      axis: axisStyle(colors),
    },
  }));
}
