import type { StageEffect } from "../stages/stage-effect.js";
import { renderVegaLite, type Pictures } from "./render.js";
import { axisStyle, font } from "./themes.js";

/** The chart of what a stage does. */
export function stageChart({ x, y, lines, form = "lines" }: StageEffect): Promise<Pictures> {
  const values = lines.flatMap(({ name, isBaseline = false, points }) =>
    points.map(([at, value]) => ({ name, isBaseline, x: at, y: value })),
  );
  const names = lines.map(({ name }) => name);
  const last = lines.filter(({ isBaseline = false }) => !isBaseline).at(-1)?.name;
  return renderVegaLite((colors) => {
    const range = lines.map(({ name, isBaseline = false }) =>
      isBaseline ? colors.others[1] : name === last ? colors.own : colors.others[0],
    );
    const isBars = form === "bars";
    const xAxis = { grid: false, tickCount: 6, labelAngle: 0 };
    return {
      $schema: "https://vega.github.io/schema/vega-lite/v5.json",
      width: 380,
      height: 220,
      padding: 4,
      background: "transparent",
      data: { values },
      mark: isBars
        ? { type: "bar" }
        : { type: "line", strokeWidth: 2, strokeJoin: "round", clip: true },
      encoding: {
        x: isBars
          ? { field: "x", type: "ordinal", title: x, axis: xAxis }
          : { field: "x", type: "quantitative", title: x, scale: { nice: false }, axis: xAxis },
        ...(isBars && { xOffset: { field: "name", sort: names } }),
        y: {
          field: "y",
          type: "quantitative",
          title: y,
          axis: { tickCount: 5, format: "~g" },
        },
        color: {
          field: "name",
          type: "nominal",
          sort: null,
          scale: { domain: names, range },
          legend: {
            title: null,
            orient: "top",
            labelFontSize: 12,
            labelLimit: 400,
            columns: names.join("").length > 40 ? 1 : names.length,
            symbolType: isBars ? "square" : "stroke",
          },
        },
        ...(!isBars && {
          strokeDash: {
            field: "isBaseline",
            type: "nominal" as const,
            scale: {
              domain: [false, true],
              range: [
                [1, 0],
                [5, 4],
              ],
            },
            legend: null,
          },
        }),
      },
      config: {
        font,
        view: { stroke: null },
        legend: { labelColor: colors.text },
        axis: axisStyle(colors),
      },
    };
  });
}
