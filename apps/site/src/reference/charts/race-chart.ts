import type { Spec } from "vega";
import type { NamedPath } from "./loss-chart.js";
import { renderVega, type Pictures } from "./render.js";
import { font } from "./themes.js";
import { clipped, valleyMap } from "./valley-map.js";
import { valley } from "./valley.js";

const size = { width: 520, height: 250 } as const;

/** The paths of several optimizers over one map of the valley, with their names above it. */
export function raceChart(paths: readonly NamedPath[]): Promise<Pictures> {
  const map = valleyMap(size);
  const names = paths.map(({ name }) => name);
  const values = paths.flatMap(({ name, path }) => path.points.map(([x, y]) => ({ name, x, y })));
  return renderVega((colors): Spec => {
    const { data, scales, ground, minimum } = map(colors);
    return {
      $schema: "https://vega.github.io/schema/vega/v5.json",
      ...size,
      padding: 4,
      background: "transparent",
      data: [
        ...data,
        { name: "paths", values },
        { name: "start", values: [{ x: valley.start[0], y: valley.start[1] }] },
      ],
      scales: [
        ...scales,
        { name: "color", type: "ordinal", domain: names, range: [...colors.race] },
      ],
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
        clipped(size, [
          ground,
          {
            type: "group",
            from: { facet: { name: "path", data: "paths", groupby: "name" } },
            marks: [
              {
                type: "line",
                from: { data: "path" },
                encode: {
                  enter: {
                    x: { scale: "x", field: "x" },
                    y: { scale: "y", field: "y" },
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
            encode: {
              enter: {
                x: { scale: "x", field: "x" },
                y: { scale: "y", field: "y" },
                size: { value: 70 },
                fill: { value: colors.text },
              },
            },
          },
          minimum,
        ]),
      ],
      config: { legend: { labelFont: font }, text: { font, fill: colors.text } },
    };
  });
}
