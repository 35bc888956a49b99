import type { Spec } from "vega";
import { renderVega, type Pictures } from "./render.js";
import { font } from "./themes.js";
import { clipped, valleyMap } from "./valley-map.js";
import type { Path } from "./valley.js";

const size = { width: 320, height: 267 } as const;

/** The path of an optimizer over a map of the valley. */
export function pathChart({ points }: Path): Promise<Pictures> {
  const map = valleyMap(size);
  const path = points.map(([x, y], step) => ({ x, y, step }));
  return renderVega((colors): Spec => {
    const { data, scales, ground, minimum } = map(colors);
    return {
      $schema: "https://vega.github.io/schema/vega/v5.json",
      ...size,
      padding: 4,
      background: "transparent",
      data: [...data, { name: "path", values: path }],
      scales,
      marks: [
        clipped(size, [
          ground,
          {
            type: "line",
            from: { data: "path" },
            encode: {
              enter: {
                x: { scale: "x", field: "x" },
                y: { scale: "y", field: "y" },
                stroke: { value: colors.own },
                strokeWidth: { value: 1.5 },
                strokeJoin: { value: "round" },
              },
            },
          },
          {
            type: "symbol",
            from: { data: "path" },
            encode: {
              enter: {
                x: { scale: "x", field: "x" },
                y: { scale: "y", field: "y" },
                size: { value: 7 },
                fill: { value: colors.own },
              },
            },
          },
          minimum,
        ]),
      ],
      config: { text: { font, fill: colors.text } },
    };
  });
}
