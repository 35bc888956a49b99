import type { Pictures } from "./render.js";
import { position, valleyChart } from "./valley-chart.js";
import type { Path } from "./valley.js";

const size = { width: 320, height: 267 } as const;

/** The path of an optimizer over a map of the valley. */
export function pathChart({ points }: Path): Promise<Pictures> {
  const values = points.map(([x, y]) => ({ x, y }));
  return valleyChart(size, ({ own }) => ({
    data: [{ name: "path", values }],
    marks: [
      {
        type: "line",
        from: { data: "path" },
        encode: {
          enter: {
            ...position,
            stroke: { value: own },
            strokeWidth: { value: 1.5 },
            strokeJoin: { value: "round" },
          },
        },
      },
      {
        type: "symbol",
        from: { data: "path" },
        encode: { enter: { ...position, size: { value: 7 }, fill: { value: own } } },
      },
    ],
  }));
}
