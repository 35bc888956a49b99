import { useEffect, useRef } from "preact/hooks";
import "./valid-language.js";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { shortNumber } from "../number-text.js";
import "./curves.css";
import { logRange, shownTicks } from "./decades.js";

/** How a line is drawn. */
export type LineStyle = "solid" | "dashed" | "dotted";

/** Lengths of dashes and gaps, in pixels. */
const dashes: Readonly<Record<LineStyle, number[]>> = {
  solid: [],
  dashed: [8, 4],
  dotted: [2, 4],
};

/** One curve. */
export interface Curve {
  readonly label: string;
  /** A CSS color. */
  readonly color: string;
  /** One value per entry of `x`; null where there is none. */
  readonly values: readonly (number | null)[];
  /** Default "solid". */
  readonly line?: LineStyle;
}

interface CurvesProps {
  /** Ascending. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly height?: number;
  readonly scale?: "linear" | "log";
  /** Default true. */
  readonly hasLegend?: boolean;
}

/** uPlot's own ranges end at powers of ten, and leave most of a chart empty. */
const logarithmic: UPlot.Scale = {
  distr: 3,
  // There is no least value where nothing is drawn.
  range: (_, min: number | null, max: number | null) =>
    min === null || max === null ? [null, null] : logRange(min, max),
};

/** Curves over one axis, in the page's colors, as wide as their place. */
export function Curves({
  x,
  curves,
  xLabel,
  yLabel,
  height = 280,
  scale = "linear",
  hasLegend = true,
}: CurvesProps) {
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const data = [x, ...curves.map(({ values }) => values)] as unknown as UPlot.AlignedData;
  const appearance = JSON.stringify([
    curves.map(({ label, color, line }) => [label, color, line]),
    scale,
    height,
    hasLegend,
  ]);

  useEffect(() => {
    const place = element.current!;
    const style = getComputedStyle(place);
    const themeColors = () => ({
      text: style.getPropertyValue("--vp-c-text-2"),
      line: style.getPropertyValue("--vp-c-divider"),
    });
    let colors = themeColors();
    const font = `12px ${style.fontFamily}`;
    const axis = {
      font,
      labelFont: font,
      stroke: () => colors.text,
      grid: { stroke: () => colors.line, width: 1 },
      ticks: { stroke: () => colors.line, width: 1 },
    };
    const filter: UPlot.Axis.Filter = ({ scales: { y } }, ticks) =>
      scale === "log" ? shownTicks(ticks, y.min!, y.max!) : ticks;
    const drawn = new UPlot(
      {
        width: place.clientWidth,
        height,
        legend: {
          show: hasLegend,
          markers: { dash: (_, i) => curves[i - 1].line ?? "solid" },
        },
        scales: { x: { time: false }, y: scale === "log" ? logarithmic : {} },
        axes: [
          { ...axis, label: xLabel },
          {
            ...axis,
            label: yLabel,
            size: 64,
            values: (_, ticks) => ticks.map(numberOrNothing),
            filter,
            grid: { ...axis.grid, filter },
            ticks: { ...axis.ticks, filter },
          },
        ],
        series: [
          { label: xLabel, value: (_, value) => numberOrNothing(value) },
          ...curves.map(({ label, color: stroke, line = "solid" }) => ({
            label,
            stroke,
            width: 2,
            dash: dashes[line],
            value: (_: UPlot, value: number | null) => numberOrNothing(value),
          })),
        ],
      },
      data,
      place,
    );
    plot.current = drawn;
    const resize = new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height }));
    resize.observe(place);
    const theme = new MutationObserver(() => {
      colors = themeColors();
      drawn.redraw();
    });
    theme.observe(document.documentElement, { attributeFilter: ["class"] });
    return () => {
      resize.disconnect();
      theme.disconnect();
      drawn.destroy();
    };
    // The plot is made again when its series change; new values go through `setData`.
  }, [appearance, xLabel, yLabel]);

  useEffect(() => {
    plot.current?.setData(data);
  });

  return <div ref={element} class="curves" role="img" aria-label={`${yLabel} by ${xLabel}`} />;
}

/** Logarithmic axes have no text at some of their ticks, and curves no value at some steps. */
function numberOrNothing(value: number | null): string {
  return value === null ? "" : shortNumber(value);
}
