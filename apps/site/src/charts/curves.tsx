import { useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Chart, type ChartContent } from "./chart.js";
import "./curves.css";

type Required = "x" | "curves" | "xLabel" | "yLabel";

/** `height` 280, `scale` "linear" and `hasLegend` true if left out. */
type CurvesProps = Pick<ChartContent, Required> &
  Partial<Omit<ChartContent, Required>> & {
    /** A place on the axis of `x` that a line marks. */
    readonly mark?: ReadonlySignal<number>;
  };

/** Curves over one axis, in the page's colors, as wide as their place. */
export function Curves({ mark, ...props }: CurvesProps) {
  const { xLabel, yLabel, height = 280, scale = "linear", hasLegend = true } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(undefined);
  useEffect(() => {
    const made = new Chart(element.current!);
    chart.current = made;
    made.mark(mark?.peek());
    return () => made.dispose();
  }, []);
  useEffect(() => chart.current!.show({ ...props, height, scale, hasLegend }));
  useSignalEffect(() => {
    const x = mark?.value;
    chart.current?.mark(x);
  });
  return (
    <div
      ref={element}
      class="curves"
      style={{ minHeight: `${height}px` }}
      role="img"
      aria-label={`${yLabel} by ${xLabel}`}
    />
  );
}
