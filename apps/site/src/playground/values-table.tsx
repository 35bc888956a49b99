import { useComputed } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { parseFormula } from "./formula.js";
import { shortNumber } from "../number-text.js";
import type { Lane, PlaygroundModel } from "./playground-model.js";
import type { Point } from "./surfaces.js";

interface ValuesTableProps {
  readonly model: PlaygroundModel;
  readonly id: string;
}

/** Where every runner is at the step that is shown: the map as a table. */
export function ValuesTable({ model, id }: ValuesTableProps) {
  // A tenth as many updates as frames while it plays.
  const shown = useComputed(() => {
    const steps = Math.floor(model.shownSteps.value);
    return model.isPlaying.value ? steps - (steps % 5) : steps;
  }).value;
  const { minima, formula } = model.surface.value;
  const least = useMemo(
    () => (minima.length === 0 ? undefined : parseFormula(formula).valueAt(...minima[0])),
    [minima, formula],
  );
  return (
    <div class="playground-table" role="region" aria-labelledby={`${id}-caption`} tabIndex={0}>
      {model.lanes.value.some(({ path }) => path?.evaluated !== undefined) && (
        <p class="playground-note">
          Dotted, with a ring: the weights to evaluate with, which <code>optimizer.swap()</code>{" "}
          shows.
        </p>
      )}
      <table id={id}>
        <caption id={`${id}-caption`}>After {shown} steps</caption>
        <thead>
          <tr>
            <th scope="col">Optimizer</th>
            <th scope="col">f(x, y)</th>
            <th scope="col">x</th>
            <th scope="col">y</th>
            {minima.length > 0 && <th scope="col">To minimum</th>}
            {minima.length > 0 && (
              <th
                scope="col"
                title="The first step after which f is less than a hundredth of its first distance to the minimum away from it"
              >
                99 % done at
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {model.lanes.value.flatMap((lane) => {
            const row = { shown, minima, least };
            const { evaluated } = lane.path ?? {};
            return [
              <LaneRow key={lane.index} {...row} lane={lane} />,
              ...(evaluated === undefined
                ? []
                : [
                    <LaneRow
                      key={`${lane.index} evaluated`}
                      {...row}
                      lane={{
                        ...lane,
                        label: `${lane.label}, to evaluate`,
                        path: { ...evaluated, hasDiverged: false },
                      }}
                      isEvaluated
                    />,
                  ]),
            ];
          })}
        </tbody>
      </table>
    </div>
  );
}

interface LaneRowProps {
  readonly lane: Lane;
  readonly shown: number;
  readonly minima: readonly Point[];
  /** The least value of the function, if it is known. */
  readonly least: number | undefined;
  /** Whether it is the row of the weights to evaluate with. */
  readonly isEvaluated?: boolean;
}

function LaneRow({
  lane: { label, style, path, error },
  shown,
  minima,
  least,
  isEvaluated = false,
}: LaneRowProps) {
  const columns = minima.length > 0 ? 5 : 3;
  const color = `var(${style.color})`;
  const head = (
    <th scope="row">
      <span
        class={isEvaluated ? "playground-swatch playground-ring" : "playground-swatch"}
        style={isEvaluated ? { borderColor: color } : { background: color }}
      />
      {label}
    </th>
  );
  if (path === undefined)
    return (
      <tr>
        {head}
        <td colSpan={columns}>{error === undefined ? "…" : "cannot run: see its settings"}</td>
      </tr>
    );
  const step = Math.min(shown, path.values.length - 1);
  const [x, y] = [path.points[2 * step], path.points[2 * step + 1]];
  const distance = Math.min(...minima.map(([left, top]) => Math.hypot(x - left, y - top)));
  const hasEnded = path.hasDiverged && shown >= path.values.length - 1;
  return (
    <tr>
      {head}
      <td>{hasEnded ? `diverged at step ${step}` : shortNumber(path.values[step])}</td>
      <td>{shortNumber(x)}</td>
      <td>{shortNumber(y)}</td>
      {minima.length > 0 && <td>{shortNumber(distance, 3)}</td>}
      {least !== undefined && <td>{stepDone(path.values, least) ?? "–"}</td>}
    </tr>
  );
}

/** The first step at which 99 % of the way down is done. */
function stepDone(values: Float64Array, least: number): number | undefined {
  const limit = least + 0.01 * (values[0] - least);
  const step = values.findIndex((value) => value <= limit);
  return step < 0 ? undefined : step;
}
