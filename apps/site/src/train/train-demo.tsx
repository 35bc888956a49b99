import { useEffect, useState } from "preact/hooks";
import { readUrlState, writeUrlState } from "../url-state/url-state.js";
import { DigitPad } from "./digit-pad.js";
import type { RunList } from "./run-list.js";
import { RunCharts } from "./run-charts.js";
import { RunDetails } from "./run-details.js";
import { RunForm, RunStart } from "./run-form.js";
import { RunTable } from "./run-table.js";
import { settingsFromUrl, settingsToUrl } from "./url-settings.js";

interface TrainDemoProps {
  readonly list: RunList;
}

/** The smoothing of losses where the query string has none. */
const usualSmoothing = 0.9;

export function TrainDemo({ list }: TrainDemoProps) {
  const [settings, setSettings] = useState(() => settingsFromUrl(readUrlState()));
  const [smoothing, setSmoothing] = useState(() => smoothingOf(readUrlState().smoothing));
  useEffect(() => {
    writeUrlState({
      ...settingsToUrl(settings),
      smoothing: smoothing === usualSmoothing ? undefined : String(smoothing),
    });
  }, [settings, smoothing]);
  const selected = list.selectedRun;
  return (
    <div class="train">
      <RunStart list={list} settings={settings} onChange={setSettings} />
      <div class="train-main">
        <RunForm settings={settings} onChange={setSettings} />
        <RunCharts list={list} smoothing={smoothing} onSmoothing={setSmoothing} />
      </div>
      <RunTable list={list} />
      {selected !== undefined && (
        <>
          <RunDetails key={selected.id} list={list} run={selected} onReuse={setSettings} />
          <DigitPad list={list} />
        </>
      )}
      <div class="train-announcement" role="status">
        {list.announcement}
      </div>
    </div>
  );
}

function smoothingOf(text: string | undefined): number {
  const value = Number(text);
  return text !== undefined && value >= 0 && value < 1 ? value : usualSmoothing;
}
