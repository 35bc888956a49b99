// Draws the charts of the README and the docs, light and dark, from docs/figures.json: `node scripts/charts.mjs`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { parse, View } from "vega";
import { compile } from "vega-lite";

const charts = JSON.parse(readFileSync("docs/figures.json", "utf8"));
const folder = "docs/pictures";

const themes = {
  light: { text: "#1f2328", muted: "#59636e", own: "#0969da", other: "#afb8c1" },
  dark: { text: "#e6edf3", muted: "#9198a1", own: "#4493f8", other: "#545d68" },
};

function duration(microseconds) {
  const [value, unit] = microseconds >= 1000 ? [microseconds / 1000, "ms"] : [microseconds, "µs"];
  return `${Number(value.toPrecision(2)).toLocaleString("en")} ${unit}`;
}

/** Bars on a logarithmic axis, with the time written behind each. */
function bars({ rows }, { text, own, other }) {
  const times = rows.map(({ microseconds }) => microseconds);
  const domain = [10 ** Math.floor(Math.log10(Math.min(...times) / 2)), Math.max(...times) * 3];
  const values = rows.map((row) => ({
    ...row,
    start: domain[0],
    label: `${duration(row.microseconds)}`,
  }));
  const y = { field: "name", type: "nominal", sort: null, title: null };
  const scale = { type: "log", domain, nice: false };
  const x = { field: "microseconds", type: "quantitative", scale, axis: null };
  return {
    height: { step: 26 },
    data: { values },
    layer: [
      {
        mark: { type: "bar", cornerRadiusEnd: 3, height: { band: 0.68 } },
        encoding: {
          y,
          x: { ...x, field: "start" },
          x2: { field: "microseconds" },
          color: {
            field: "own",
            legend: null,
            scale: { domain: [true, false], range: [own, other] },
          },
        },
      },
      {
        mark: { type: "text", align: "left", dx: 6, color: text, fontSize: 13 },
        encoding: { y, x, text: { field: "label" } },
      },
    ],
  };
}

/** Lines over the index of a value, on a logarithmic axis, with the name of each at its end. */
function lines({ series }, { text, muted, own, other }) {
  const values = series.flatMap((one) =>
    one.values.map((value, i) => ({ name: one.name, own: one.own, index: i + 1, value })),
  );
  const ends = values.filter(({ index }, i) => values[i + 1]?.index !== index + 1);
  const x = { field: "index", type: "quantitative", title: null, axis: null };
  const y = {
    field: "value",
    type: "quantitative",
    title: null,
    scale: { type: "log", domain: [0.001, 2], nice: false },
    axis: {
      values: [0.001, 0.01, 0.1, 1],
      format: "~g",
      grid: true,
      gridColor: muted,
      gridOpacity: 0.3,
    },
  };
  return {
    height: 180,
    data: { values },
    layer: [
      {
        mark: { type: "line", strokeWidth: 2 },
        encoding: {
          x,
          y,
          detail: { field: "name" },
          color: {
            field: "own",
            type: "nominal",
            legend: null,
            scale: { domain: [true, false], range: [own, other] },
          },
        },
      },
      {
        data: { values: ends },
        mark: { type: "text", align: "left", dx: 6, color: text, fontSize: 13 },
        encoding: { x, y, text: { field: "name" } },
      },
    ],
  };
}

/**
 * The size of a chart of bars, which has to be readable at the width of a phone. Vega cannot measure text here and leaves
 * it too much space.
 */
function barSize({ subtitle, rows }) {
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const padding = {
    left: 16 + 6.6 * longest,
    top: 44 + 14 * subtitle.length,
    right: 75,
    bottom: 8,
  };
  return { width: 290, autosize: "none", padding };
}

function specification(chart, colors) {
  const { title, subtitle, series } = chart;
  const { text, muted } = colors;
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json",
    ...(series === undefined ? barSize(chart) : { width: 460, padding: 8 }),
    background: "transparent",
    title: { text: title, subtitle, anchor: "start", frame: "group", offset: 12 },
    ...(series === undefined ? bars(chart, colors) : lines(chart, colors)),
    config: {
      font: "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
      view: { stroke: null },
      axis: {
        domain: false,
        ticks: false,
        labelColor: text,
        labelFontSize: 13,
        labelLimit: 300,
        labelPadding: 8,
      },
      title: {
        color: text,
        fontSize: 15,
        fontWeight: 600,
        subtitleColor: muted,
        subtitleFontSize: 12,
        subtitlePadding: 5,
      },
    },
  };
}

mkdirSync(folder, { recursive: true });
for (const chart of charts) {
  for (const [theme, colors] of Object.entries(themes)) {
    const view = new View(parse(compile(specification(chart, colors)).spec), { renderer: "none" });
    writeFileSync(`${folder}/${chart.file}-${theme}.svg`, `${await view.toSVG()}\n`);
  }
}
