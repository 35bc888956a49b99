import { useId, useState } from "preact/hooks";
import {
  availableBackends,
  backendTitles,
  type Availability,
} from "../backends/browser-backends.js";
import { pathDifference } from "./backend-differences.js";
import { shortNumber } from "../number-text.js";
import { messageOf, type Lane, type PlaygroundModel } from "./playground-model.js";

interface BackendComparisonProps {
  readonly model: PlaygroundModel;
}

/** What a backend gave for each optimizer, as text. */
interface Row {
  readonly label: string;
  readonly cells: readonly string[];
}

interface Comparison {
  readonly backends: readonly Availability[];
  readonly rows: readonly Row[];
}

/** Every optimizer on every backend of the browser, compared with the exact one. */
export function BackendComparison({ model }: BackendComparisonProps) {
  const id = useId();
  const [comparison, setComparison] = useState<Comparison>();
  const [isRunning, setRunning] = useState(false);
  const run = async (): Promise<void> => {
    if (isRunning) return;
    setRunning(true);
    try {
      const backends = await availableBackends();
      const rows: Row[] = [];
      for (const lane of model.lanes.peek()) {
        rows.push({ label: lane.label, cells: await compare(model, lane, backends) });
        setComparison({ backends, rows: [...rows] });
      }
    } finally {
      setRunning(false);
    }
  };
  return (
    <section class="playground-comparison" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>On every backend</h2>
      <p>
        The same race on every backend of this browser, compared with JavaScript, exact, which has
        the bits of the reference.
      </p>
      <div class="playground-row">
        <button type="button" aria-disabled={isRunning} onClick={() => void run()}>
          Race on every backend
        </button>
        <span role="status">
          {isRunning ? "Racing…" : comparison !== undefined && "The races are finished."}
        </span>
      </div>
      {comparison !== undefined && (
        <div class="playground-table" role="region" aria-labelledby={`${id}-caption`} tabIndex={0}>
          <table>
            <caption id={`${id}-caption`}>
              The largest distance from the exact path, and the first step with another bit
            </caption>
            <thead>
              <tr>
                <th scope="col">Optimizer</th>
                {comparison.backends.map(({ name }) => (
                  <th key={name} scope="col">
                    {backendTitles[name]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {comparison.rows.map(({ label, cells }) => (
                <tr key={label}>
                  <th scope="row">{label}</th>
                  {cells.map((cell, i) => (
                    <td key={comparison.backends[i].name}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

async function compare(
  { engine }: PlaygroundModel,
  { trace }: Lane,
  backends: readonly Availability[],
): Promise<readonly string[]> {
  const exact = await engine.trace({ ...trace, backend: "cpu-js-exact" }).catch(() => undefined);
  return Promise.all(
    backends.map(async ({ name, reason }) => {
      if (reason !== undefined) return "not here";
      if (exact === undefined) return "cannot run";
      try {
        const path = await engine.trace({ ...trace, backend: name });
        const { firstStep, largest } = pathDifference(exact, path);
        return firstStep === undefined
          ? "same bits"
          : `${shortNumber(largest, 2)} from step ${firstStep}`;
      } catch (error) {
        return messageOf(error);
      }
    }),
  );
}
