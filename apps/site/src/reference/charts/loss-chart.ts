import { renderVegaLite, type Pictures } from "./render.js";
import { axisStyle, font } from "./themes.js";
import { valley, type Path } from "./valley.js";

/** A path with the name that stands at its end. */
export interface NamedPath {
  readonly name: string;
  readonly path: Path;
}

/** Values below this are drawn as this. */
const least = 1e-6;

/** The values along paths, step by step; the first path is the one that the chart is about. */
export function lossChart(paths: readonly NamedPath[]): Promise<Pictures> {
  const values = paths.flatMap(({ name, path }) =>
    path.losses.map((loss, step) => ({ name, step, loss: Math.min(100, Math.max(least, loss)) })),
  );
  return renderVegaLite((colors) => ({
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    width: 280,
    height: 232,
    padding: 4,
    background: "transparent",
    data: { values },
    mark: { type: "line", strokeWidth: 1.75, clip: true },
    encoding: {
      x: {
        field: "step",
        type: "quantitative",
        title: "step",
        scale: { domain: [0, valley.steps], nice: false },
        axis: { grid: false, tickCount: 5 },
      },
      y: {
        field: "loss",
        type: "quantitative",
        title: null,
        scale: { type: "log", domain: [least, 100], nice: false },
        axis: {
          values: [1e-6, 1e-4, 1e-2, 1, 100],
          labelExpr: "datum.value < 1e-5 ? '10⁻⁶' : datum.value < 1e-3 ? '10⁻⁴' : datum.label",
          format: "~g",
        },
      },
      color: {
        field: "name",
        type: "nominal",
        sort: null,
        scale: {
          domain: paths.map(({ name }) => name),
          range: [colors.own, ...colors.others],
        },
        legend: {
          title: null,
          orient: "top",
          labelFontSize: 12,
          labelLimit: 200,
          symbolType: "stroke",
        },
      },
    },
    config: {
      font,
      view: { stroke: null },
      legend: { labelColor: colors.text },
      axis: axisStyle(colors),
    },
  }));
}
