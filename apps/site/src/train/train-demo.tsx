import { batch, signal, useComputed } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { QueryProblems } from "../url-state/query-problems.js";
import { QueryReader } from "../url-state/query-reader.js";
import { readUrlState, writeUrlState } from "../url-state/url-state.js";
import { CheckpointLoader } from "./checkpoint-loader.js";
import type { NamedSettings } from "./comparisons.js";
import { DigitPad } from "./digit-pad.js";
import { OfferedRuns } from "./offered-runs.js";
import type { RunList } from "./run-list.js";
import { RunCharts } from "./run-charts.js";
import { RunDetails } from "./run-details.js";
import { RunForm, RunStart } from "./run-form.js";
import type { RunSettings } from "./run-settings.js";
import { RunTable } from "./run-table.js";
import { missingRuns, runsFromUrl, runsToUrl } from "./url-runs.js";
import { fractionOf, settingsFromUrl, settingsToUrl } from "./url-settings.js";

interface TrainDemoProps {
  readonly list: RunList;
}

/** The smoothing of losses where the query string has none. */
const usualSmoothing = 0.9;

export function TrainDemo({ list }: TrainDemoProps) {
  const [address] = useState(readAddress);
  const [settings, setSettings] = useState(address.settings);
  const [smoothing, setSmoothing] = useState(address.smoothing);
  const [offered] = useState(() =>
    signal(
      missingRuns(
        address.runs,
        list.runs.peek().map(({ repeatableSettings }) => ({ settings: repeatableSettings })),
      ),
    ),
  );
  // Those that are offered stay in the address until the visitor has decided.
  const runs = useComputed(() => runsToUrl([...shownRuns(list), ...offered.value])).value;
  useEffect(() => {
    writeUrlState({
      ...settingsToUrl(settings),
      smoothing: smoothing === usualSmoothing ? undefined : String(smoothing),
      runs,
    });
  }, [settings, smoothing, runs]);
  // The same elements: what a slider of the form changes does not concern them.
  const charts = useMemo(
    () => <RunCharts list={list} smoothing={smoothing} onSmoothing={setSmoothing} />,
    [list, smoothing],
  );
  const results = useMemo(() => <Results list={list} onReuse={setSettings} />, [list]);
  return (
    <div class="train">
      <QueryProblems problems={address.problems} />
      <OfferedRuns
        runs={offered.value}
        onStart={() => {
          batch(() => {
            for (const { name, settings: given } of offered.value) list.add(name, given);
            offered.value = [];
          });
        }}
        onIgnore={() => {
          offered.value = [];
        }}
      />
      <RunStart list={list} settings={settings} onChange={setSettings} />
      <div class="train-main">
        <RunForm settings={settings} onChange={setSettings} />
        {charts}
      </div>
      {results}
      <div class="visually-hidden" role="status">
        {list.announcement}
      </div>
    </div>
  );
}

interface ResultsProps {
  readonly list: RunList;
  readonly onReuse: (settings: RunSettings) => void;
}

/** The table of runs, and what can be done with the selected one. */
function Results({ list, onReuse }: ResultsProps) {
  const selected = list.selectedRun;
  return (
    <>
      <RunTable list={list} />
      <CheckpointLoader list={list} />
      {selected !== undefined && (
        <>
          <RunDetails key={selected.id} list={list} run={selected} onReuse={onReuse} />
          <DigitPad list={list} />
        </>
      )}
    </>
  );
}

function shownRuns(list: RunList): readonly NamedSettings[] {
  return list.runs.value
    .filter((run) => !run.isHidden.value)
    .map((run) => ({ name: run.name.value, settings: run.repeatableSettings }));
}

function readAddress() {
  const query = readUrlState();
  const reader = new QueryReader(query);
  const smoothing = reader.read("smoothing", usualSmoothing, fractionOf);
  const settings = settingsFromUrl(query);
  const runs = runsFromUrl(query);
  return {
    settings: settings.state,
    smoothing,
    runs: runs.state,
    problems: [...settings.problems, ...reader.problems, ...runs.problems],
  };
}
