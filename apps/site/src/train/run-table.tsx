import { lossText, percent, rateText } from "@gradstep/digits";
import { optimizers } from "@gradstep/digits/optimizers";
import { useMemo } from "preact/hooks";
import { backendTitles } from "../backends/browser-backends.js";
import { highestRate } from "./comparisons.js";
import { download } from "../download.js";
import type { Run, RunStatus } from "./run.js";
import { runStyles } from "./run-styles.js";
import { csvOf, jsonOf } from "./run-document.js";
import type { RunList } from "./run-list.js";

const statusTexts: Readonly<Record<RunStatus, string>> = {
  waiting: "waits for a processor",
  loading: "loads",
  training: "trains",
  paused: "paused",
  finished: "finished",
  failed: "failed",
};

/** Batches over which the loss of the table is averaged. */
const recentBatches = 50;

/** All runs, with what they achieved and what can be done with them. */
export function RunTable({ list }: { readonly list: RunList }) {
  const runs = list.runs.value;
  if (runs.length === 0) return null;
  const shown = () =>
    list.runs.value.filter((run) => !run.isHidden.value).map((run) => run.document);
  return (
    <section class="train-runs" aria-label="Runs">
      <div class="train-scroll" tabIndex={0} role="region" aria-label="Table of runs">
        <table class="train-table">
          <thead>
            <tr>
              <th scope="col">Show</th>
              <th scope="col">Run</th>
              <th scope="col">Loss</th>
              <th scope="col">Accuracy</th>
              <th scope="col">Progress</th>
              <th scope="col">Time</th>
              <th scope="col">Rate</th>
              <th scope="col">Optimizer</th>
              <th scope="col">Backend</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <RunRow key={run.id} list={list} run={run} />
            ))}
          </tbody>
        </table>
      </div>
      <div class="train-downloads">
        <button
          type="button"
          onClick={() => download("runs.json", "application/json", jsonOf(shown()))}
        >
          Download JSON
        </button>
        <button type="button" onClick={() => download("runs.csv", "text/csv", csvOf(shown()))}>
          Download CSV
        </button>
      </div>
    </section>
  );
}

function RunRow({ list, run }: { readonly list: RunList; readonly run: Run }) {
  const { settings } = run;
  const rate = useMemo(() => highestRate(settings), [settings]);
  const name = run.name.value;
  const status = run.status.value;
  const batches = run.batches.value;
  const { color, line } = runStyles[run.style];
  const isSelected = list.selected.value === run.id;
  const accuracy =
    run.result.value?.accuracy ?? run.history.value.at(-1)?.validationAccuracy ?? NaN;
  return (
    <tr class={isSelected ? "train-selected" : ""}>
      <td>
        <input
          type="checkbox"
          aria-label={`Show ${name}`}
          style={{ accentColor: color }}
          checked={!run.isHidden.value}
          onChange={(event) => {
            run.isHidden.value = !event.currentTarget.checked;
          }}
        />
      </td>
      <th scope="row">
        <button
          type="button"
          class="train-select"
          title={name}
          aria-pressed={isSelected}
          onClick={() => {
            list.selected.value = run.id;
          }}
        >
          <span class={`train-swatch train-swatch-${line}`} style={{ color }} />
          <span class="train-run-name">{name}</span>
        </button>
      </th>
      <td class="train-number">{batches === 0 ? "–" : lossText(recentLoss(run))}</td>
      <td class="train-number">{percent(accuracy)}</td>
      <td>
        <progress aria-label={`Progress of ${name}`} value={batches} max={run.totalBatches} />
        <small>{statusTexts[status]}</small>
      </td>
      <td class="train-number">{run.seconds.toFixed(1)} s</td>
      <td class="train-number">{rateText(rate)}</td>
      <td>{optimizers[settings.optimizer].title}</td>
      <td>{backendTitles[settings.backend]}</td>
    </tr>
  );
}

function recentLoss({ losses }: Run): number {
  const recent = losses.slice(-recentBatches);
  return recent.reduce((sum, loss) => sum + loss, 0) / recent.length;
}
