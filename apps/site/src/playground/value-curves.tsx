import { Curves } from "../charts/curves.js";
import { parseFormula } from "./formula.js";
import type { PlaygroundModel } from "./playground-model.js";
import { useTheme } from "./use-theme.js";

interface ValueCurvesProps {
  readonly model: PlaygroundModel;
}

/** The function's values along all paths: above the least value, if that is known, on a logarithmic scale. */
export function ValueCurves({ model }: ValueCurvesProps) {
  // The colors below are those of the theme.
  useTheme();
  const { minima, formula } = model.surface.value;
  const { steps } = model.state.value;
  const least = minima.length === 0 ? undefined : parseFormula(formula).valueAt(...minima[0]);
  const style = getComputedStyle(document.documentElement);
  const curves = model.lanes.value.flatMap(({ label, style: { color: property }, path }) => {
    if (path === undefined) return [];
    const color = style.getPropertyValue(property);
    const shownOf = (values: Float64Array) =>
      Array.from({ length: steps + 1 }, (_, step) => shown(values[step], least));
    const { evaluated } = path;
    return [
      { label, color, values: shownOf(path.values) },
      ...(evaluated === undefined
        ? []
        : [
            {
              label: `${label}, to evaluate`,
              color,
              values: shownOf(evaluated.values),
              line: "dotted" as const,
            },
          ]),
    ];
  });
  if (curves.length === 0) return null;
  return (
    <Curves
      x={Array.from({ length: steps + 1 }, (_, step) => step)}
      curves={curves}
      xLabel="Step"
      yLabel={least === undefined ? "f(x, y)" : "f(x, y) above the minimum"}
      height={220}
      scale={least === undefined ? "linear" : "log"}
      hasLegend={false}
      mark={model.shownSteps}
    />
  );
}

/** What rounding leaves below this is no information, and a logarithm has no 0. */
const floor = 1e-12;

function shown(value: number | undefined, least: number | undefined): number | null {
  if (value === undefined || !Number.isFinite(value)) return null;
  return least === undefined ? value : Math.max(floor, value - least);
}
