import type { NamedPath } from "./loss-chart.js";
import type { Pictures } from "./render.js";
import { position, valleyChart } from "./valley-chart.js";
import { valley } from "./valley.js";

const size = { width: 520, height: 250 } as const;

/** The paths of several optimizers over one map of the valley, with their names above it. */
export function raceChart(paths: readonly NamedPath[]): Promise<Pictures> {
  const names = paths.map(({ name }) => name);
  const values = paths.flatMap(({ name, path }) => path.points.map(([x, y]) => ({ name, x, y })));
  return valleyChart(size, (colors) => ({
    data: [
      { name: "paths", values },
      { name: "start", values: [{ x: valley.start[0], y: valley.start[1] }] },
    ],
    scales: [{ name: "color", type: "ordinal", domain: names, range: [...colors.race] }],
    legends: [
      {
        stroke: "color",
        orient: "top",
        direction: "horizontal",
        symbolType: "stroke",
        symbolStrokeWidth: 3,
        labelFontSize: 15,
        labelLimit: 200,
        labelColor: colors.text,
        gridAlign: "none",
        columnPadding: 14,
      },
    ],
    marks: [
      {
        type: "group",
        from: { facet: { name: "path", data: "paths", groupby: "name" } },
        marks: [
          {
            type: "line",
            from: { data: "path" },
            encode: {
              enter: {
                ...position,
                stroke: { scale: "color", field: "name" },
                strokeWidth: { value: 2.25 },
                strokeJoin: { value: "round" },
              },
            },
          },
        ],
      },
      {
        type: "symbol",
        from: { data: "start" },
        encode: { enter: { ...position, size: { value: 70 }, fill: { value: colors.text } } },
      },
    ],
  }));
}
