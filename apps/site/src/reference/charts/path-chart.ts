import type { Spec } from "vega";
import { renderVega, type Pictures } from "./render.js";
import { font } from "./themes.js";
import { valley, type Path } from "./valley.js";

const size = { width: 320, height: 267 } as const;
const cells = { width: 90, height: 75 } as const;

/** The valley's values in the middle of each cell, on a logarithmic scale so that its floor shows. */
function heights(): number[] {
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

/** The path of an optimizer over a map of the valley. */
export function pathChart({ points }: Path): Promise<Pictures> {
  const values = heights();
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const count = 12;
  const thresholds = Array.from({ length: count }, (_, i) => least + ((most - least) * i) / count);
  const path = points.map(([x, y], step) => ({ x, y, step }));
  return renderVega((colors): Spec => ({
    $schema: "https://vega.github.io/schema/vega/v5.json",
    ...size,
    padding: 4,
    background: "transparent",
    data: [
      {
        name: "contours",
        values: [{ ...cells, values }],
        transform: [
          { type: "isocontour", scale: size.width / cells.width, smooth: true, thresholds },
        ],
      },
      { name: "path", values: path },
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
    marks: [
      {
        type: "group",
        encode: {
          enter: {
            width: { value: size.width },
            height: { value: size.height },
            clip: { value: true },
            cornerRadius: { value: 6 },
          },
        },
        marks: [
          {
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
          {
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
        ],
      },
    ],
    config: { text: { font, fill: colors.text } },
  }));
}
