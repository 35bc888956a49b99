import "./valid-language.js";
import UPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { shortNumber } from "../number-text.js";
import { logRange, shownTicks } from "./decades.js";
import { drawSoon, forget } from "./drawing-queue.js";

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

export interface ChartContent {
  /** Ascending. */
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  readonly xLabel: string;
  readonly yLabel: string;
  /** Pixels, without the legend. */
  readonly height: number;
  readonly scale: "linear" | "log";
  readonly hasLegend: boolean;
}

/** uPlot's own ranges end at powers of ten, and leave most of a chart empty. */
const logarithmic: UPlot.Scale = {
  distr: 3,
  // There is no least value where nothing is drawn.
  range: (_, min: number | null, max: number | null) =>
    min === null || max === null ? [null, null] : logRange(min, max),
};

/** Curves in an element, in the page's colors, as wide as the element. */
export class Chart {
  readonly #place: HTMLElement;
  readonly #resize: ResizeObserver;
  readonly #theme: MutationObserver;
  readonly #draw = (): void => this.#drawNow();
  #content: ChartContent | undefined;
  #plot: UPlot | undefined;
  /** What the plot was made for: all of the content but its curves. */
  #appearance = "";
  /** The curves that the plot has, without their values. */
  #series: readonly string[] = [];
  /** Pixels; 0 until the browser has laid out the page. */
  #width = 0;
  #colors = { text: "", line: "" };
  /** A vertical line over the curves. */
  readonly #markLine = document.createElement("div");
  #mark: number | undefined;

  constructor(place: HTMLElement) {
    this.#place = place;
    this.#markLine.className = "curves-mark";
    // Here the layout is known; to ask for it at another time makes the browser compute it once more.
    this.#resize = new ResizeObserver(() => {
      this.#width = place.clientWidth;
      drawSoon(this, this.#draw);
    });
    this.#resize.observe(place);
    // At once, not at the next frame: a page is printed in other colors, without a frame before.
    this.#theme = new MutationObserver(() => {
      this.#readColors();
      this.#plot?.redraw();
    });
    this.#theme.observe(document.documentElement, { attributeFilter: ["class"] });
  }

  /** Draws this at one of the next frames. */
  show(content: ChartContent): void {
    this.#content = content;
    if (this.#width > 0) drawSoon(this, this.#draw);
  }

  /** Marks a place on the axis of `x` with a line, at once. */
  mark(x: number | undefined): void {
    this.#mark = x;
    this.#placeMark();
  }

  dispose(): void {
    forget(this);
    this.#resize.disconnect();
    this.#theme.disconnect();
    this.#plot?.destroy();
  }

  #drawNow(): void {
    const content = this.#content;
    if (content === undefined || this.#width === 0) return;
    const { x, curves, ...others } = content;
    const data = [x, ...curves.map(({ values }) => values)] as unknown as UPlot.AlignedData;
    const series = curves.map(({ label, color, line }) => JSON.stringify([label, color, line]));
    const appearance = JSON.stringify(others);
    if (this.#plot === undefined || appearance !== this.#appearance) {
      this.#appearance = appearance;
      this.#series = series;
      this.#plot?.destroy();
      this.#readColors();
      this.#plot = new UPlot(this.#options(content), data, this.#place);
      this.#plot.over.append(this.#markLine);
      return;
    }
    this.#changeSeries(this.#plot, curves, series);
    const { height } = others;
    if (this.#plot.width !== this.#width) this.#plot.setSize({ width: this.#width, height });
    this.#plot.setData(data);
  }

  /** Keeps the curves up to the first one that is another: to make a plot again takes several times as long. */
  #changeSeries(plot: UPlot, curves: readonly Curve[], series: readonly string[]): void {
    const before = this.#series;
    this.#series = series;
    let kept = 0;
    while (kept < before.length && before[kept] === series[kept]) kept += 1;
    // The first series of a plot is x.
    for (let i = before.length; i > kept; i -= 1) plot.delSeries(i);
    for (let i = kept; i < curves.length; i += 1) plot.addSeries(seriesOf(curves[i]), i + 1);
  }

  #placeMark(): void {
    const { hidden, style } = this.#markLine;
    const isHidden = this.#plot === undefined || this.#mark === undefined;
    if (isHidden !== hidden) this.#markLine.hidden = isHidden;
    if (!isHidden) style.left = `${this.#plot!.valToPos(this.#mark!, "x")}px`;
  }

  #readColors(): void {
    const style = getComputedStyle(this.#place);
    this.#colors = {
      text: style.getPropertyValue("--vp-c-text-2"),
      line: style.getPropertyValue("--vp-c-divider"),
    };
  }

  #options({ curves, xLabel, yLabel, height, scale, hasLegend }: ChartContent): UPlot.Options {
    const font = `12px ${getComputedStyle(this.#place).fontFamily}`;
    const line = { stroke: () => this.#colors.line, width: 1 };
    const axis = {
      font,
      labelFont: font,
      stroke: () => this.#colors.text,
      grid: line,
      ticks: line,
    };
    const filter: UPlot.Axis.Filter = ({ scales: { y } }, ticks) =>
      scale === "log" ? shownTicks(ticks, y.min!, y.max!) : ticks;
    return {
      width: this.#width,
      height,
      hooks: { draw: [() => this.#placeMark()] },
      legend: {
        show: hasLegend,
        markers: { dash: (_, i) => this.#content!.curves[i - 1].line ?? "solid" },
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
          grid: { ...line, filter },
          ticks: { ...line, filter },
        },
      ],
      series: [
        { label: xLabel, value: (_, value) => numberOrNothing(value) },
        ...curves.map(seriesOf),
      ],
    };
  }
}

function seriesOf({ label, color, line = "solid" }: Curve): UPlot.Series {
  return {
    label,
    stroke: color,
    width: 2,
    dash: dashes[line],
    value: (_: UPlot, value: number | null) => numberOrNothing(value),
  };
}

/** Logarithmic axes have no text at some of their ticks, and curves no value at some steps. */
function numberOrNothing(value: number | null): string {
  return value === null ? "" : shortNumber(value);
}
