import type { Data, Mark, Scale } from "vega";
import type { Colors } from "./themes.js";
import { valley } from "./valley.js";

/** In pixels. */
export interface MapSize {
  readonly width: number;
  readonly height: number;
}

/** A map of the valley as parts of a specification of Vega: paths are drawn over `ground` and below `minimum`. */
export interface ValleyMap {
  readonly data: Data[];
  readonly scales: Scale[];
  readonly ground: Mark;
  readonly minimum: Mark;
}

const cellsPerRow = 90;
const contours = 12;

/** The valley's values in the middle of each cell, on a logarithmic scale so that its floor shows. */
function heights(cells: MapSize): number[] {
  const { x, y } = valley.extent;
  return Array.from({ length: cells.width * cells.height }, (_, i) => {
    const column = (i % cells.width) + 0.5;
    const row = Math.floor(i / cells.width) + 0.5;
    const value = valley.valueAt(
      x[0] + ((x[1] - x[0]) * column) / cells.width,
      y[1] - ((y[1] - y[0]) * row) / cells.height,
    );
    return Math.log10(value + 0.05);
  });
}

/** The map of the valley with contours, as large as asked for. */
export function valleyMap(size: MapSize): (colors: Colors) => ValleyMap {
  const cells = {
    width: cellsPerRow,
    height: Math.round((cellsPerRow * size.height) / size.width),
  };
  const values = heights(cells);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const thresholds = Array.from(
    { length: contours },
    (_, i) => least + ((most - least) * i) / contours,
  );
  return (colors) => ({
    data: [
      {
        name: "contours",
        values: [{ ...cells, values }],
        transform: [
          { type: "isocontour", scale: size.width / cells.width, smooth: true, thresholds },
        ],
      },
      { name: "minimum", values: [{ x: 1, y: 1 }] },
    ],
    scales: [
      { name: "x", type: "linear", domain: [...valley.extent.x], range: "width" },
      { name: "y", type: "linear", domain: [...valley.extent.y], range: "height" },
      {
        name: "height",
        type: "linear",
        domain: [most, least],
        range: [...colors.contours],
      },
    ],
    ground: {
      type: "path",
      from: { data: "contours" },
      encode: {
        enter: {
          fill: { scale: "height", field: "contour.value" },
          stroke: { value: colors.grid },
          strokeWidth: { value: 0.5 },
        },
      },
      transform: [{ type: "geopath", field: "datum.contour" }],
    },
    minimum: {
      type: "symbol",
      from: { data: "minimum" },
      encode: {
        enter: {
          x: { scale: "x", field: "x" },
          y: { scale: "y", field: "y" },
          shape: { value: "cross" },
          angle: { value: 45 },
          size: { value: 90 },
          fill: { value: colors.minimum },
        },
      },
    },
  });
}
