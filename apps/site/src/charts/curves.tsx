import { useEffect, useRef } from "preact/hooks";
import { Chart, type ChartContent } from "./chart.js";
import "./curves.css";

type Required = "x" | "curves" | "xLabel" | "yLabel";

/** `height` 280, `scale` "linear" and `hasLegend` true if left out. */
type CurvesProps = Pick<ChartContent, Required> & Partial<Omit<ChartContent, Required>>;

/** Curves over one axis, in the page's colors, as wide as their place. */
export function Curves(props: CurvesProps) {
  const { xLabel, yLabel, height = 280, scale = "linear", hasLegend = true } = props;
  const element = useRef<HTMLDivElement>(null);
  const chart = useRef<Chart>(undefined);
  useEffect(() => {
    const made = new Chart(element.current!);
    chart.current = made;
    return () => made.dispose();
  }, []);
  useEffect(() => chart.current!.show({ ...props, height, scale, hasLegend }));
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
