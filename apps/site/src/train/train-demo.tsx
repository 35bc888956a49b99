import { useEffect, useState } from "preact/hooks";
import { QueryProblems } from "../url-state/query-problems.js";
import { QueryReader } from "../url-state/query-reader.js";
import { readUrlState, writeUrlState } from "../url-state/url-state.js";
import { CheckpointLoader } from "./checkpoint-loader.js";
import { DigitPad } from "./digit-pad.js";
import { OfferedRuns } from "./offered-runs.js";
import type { RunList } from "./run-list.js";
import { RunCharts } from "./run-charts.js";
import { RunDetails } from "./run-details.js";
import { RunForm, RunStart } from "./run-form.js";
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
  const [offered, setOffered] = useState(() =>
    missingRuns(
      address.runs,
      list.runs.value.map(({ repeatableSettings }) => ({ settings: repeatableSettings })),
    ),
  );
  const shown = list.runs.value
    .filter((run) => !run.isHidden.value)
    .map((run) => ({ name: run.name.value, settings: run.repeatableSettings }));
  // Those that are offered stay in the address until the visitor has decided.
  const runs = runsToUrl([...shown, ...offered]);
  useEffect(() => {
    writeUrlState({
      ...settingsToUrl(settings),
      smoothing: smoothing === usualSmoothing ? undefined : String(smoothing),
      runs,
    });
  }, [settings, smoothing, runs]);
  const selected = list.selectedRun;
  return (
    <div class="train">
      <QueryProblems problems={address.problems} />
      <OfferedRuns
        runs={offered}
        onStart={() => {
          for (const { name, settings: given } of offered) list.add(name, given);
          setOffered([]);
        }}
        onIgnore={() => setOffered([])}
      />
      <RunStart list={list} settings={settings} onChange={setSettings} />
      <div class="train-main">
        <RunForm settings={settings} onChange={setSettings} />
        <RunCharts list={list} smoothing={smoothing} onSmoothing={setSmoothing} />
      </div>
      <RunTable list={list} />
      <CheckpointLoader list={list} />
      {selected !== undefined && (
        <>
          <RunDetails key={selected.id} list={list} run={selected} onReuse={setSettings} />
          <DigitPad list={list} />
        </>
      )}
      <div class="visually-hidden" role="status">
        {list.announcement}
      </div>
    </div>
  );
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
