import { jsonOf } from "@gradstep/conformance/doctor";
import { proxy, wrap } from "comlink";
import { useEffect, useState } from "preact/hooks";
import { availableBackends, type Availability } from "../backends/browser-backends.js";
import { download } from "../download.js";
import { QueryProblems } from "../url-state/query-problems.js";
import { readUrlState, writeUrlState } from "../url-state/url-state.js";
import type { BenchmarkEvent, BenchmarkTable } from "./benchmark-table.js";
import { BenchmarkTables } from "./benchmark-tables.js";
import type { BenchmarkWorker } from "./benchmark.worker.js";
import { runChecks, suiteExtents, type CheckRun } from "./check-run.js";
import { CheckTable } from "./check-table.js";
import { AdapterDetails } from "./adapter-details.js";
import { gpuAdapter, type GpuAdapter } from "./gpu-adapter.js";
import { machineDocument } from "./machine-document.js";
import type { MachineWorker } from "./machine.worker.js";
import { MutantList } from "./mutant-list.js";
import { announcementOfChecks, progressOfChecks, RunControls } from "./run-controls.js";
import { queryOf, settingsFromQuery } from "./settings.js";
import { SettingsPanel } from "./settings-panel.js";
import { useWorkerRun } from "./use-worker-run.js";

/** Checks the backends of this browser, and compares their speed with others'. */
export function MachineDemo({ signal }: { readonly signal: AbortSignal }) {
  const [address] = useState(() => settingsFromQuery(readUrlState()));
  const [settings, setSettings] = useState(address.state);
  const [availability, setAvailability] = useState<readonly Availability[]>([]);
  const [adapter, setAdapter] = useState<GpuAdapter>();
  const [checks, setChecks] = useState<CheckRun>();
  const [tables, setTables] = useState<readonly BenchmarkTable[]>([]);
  const [benchmarkProgress, setBenchmarkProgress] = useState({ text: "", fraction: 0 });
  const [isMeasurementStopped, setMeasurementStopped] = useState(false);
  const checking = useWorkerRun(signal);
  const measuring = useWorkerRun(signal);

  useEffect(() => {
    void availableBackends().then(setAvailability);
    void gpuAdapter().then(setAdapter);
  }, []);
  useEffect(() => writeUrlState(queryOf(settings)), [settings]);

  const chosen = availability
    .filter(({ name, reason }) => reason === undefined && !settings.without.includes(name))
    .map(({ name }) => name);
  const isBusy = checking.isRunning || measuring.isRunning;

  const check = (): void =>
    checking.start(
      () => new Worker(new URL("./machine.worker.ts", import.meta.url), { type: "module" }),
      (worker, ended) =>
        runChecks(
          chosen,
          suiteExtents[settings.extent],
          { remote: wrap<MachineWorker>(worker), callback: proxy },
          ended,
          setChecks,
        ),
    );
  const stopChecks = (): void => {
    checking.stop();
    setChecks((run) => run && { ...run, state: "stopped", current: undefined });
  };
  const measure = (): void => {
    setTables([]);
    setMeasurementStopped(false);
    setBenchmarkProgress({ text: "Loading TensorFlow.js", fraction: 0 });
    measuring.start(
      () => new Worker(new URL("./benchmark.worker.ts", import.meta.url), { type: "module" }),
      async (worker, ended) => {
        const onEvent = (event: BenchmarkEvent): void => {
          if (ended.aborted) return;
          if (event.type === "progress") setBenchmarkProgress(event);
          else setTables(event.tables);
        };
        const { run } = wrap<BenchmarkWorker>(worker);
        const all = await run(chosen, settings.extent, proxy(onEvent));
        if (!ended.aborted) setTables(all);
      },
    );
  };
  const stopMeasurement = (): void => {
    measuring.stop();
    setMeasurementStopped(true);
  };
  const downloadResults = (): void => {
    const results = machineDocument(
      {
        userAgent: navigator.userAgent,
        processors: navigator.hardwareConcurrency,
        crossOriginIsolated: globalThis.crossOriginIsolated,
        gpu: adapter ?? null,
      },
      settings.extent,
      availability,
      checks,
      tables,
      new Date(),
    );
    download("gradstep-machine.json", "application/json", jsonOf(results));
  };

  return (
    <div class="machine">
      <QueryProblems problems={address.problems} />
      <SettingsPanel
        settings={settings}
        availability={availability}
        isDisabled={isBusy}
        onChange={setSettings}
      />
      {adapter !== undefined && <AdapterDetails adapter={adapter} />}

      <section aria-labelledby="machine-checks">
        <h2 id="machine-checks">Is it right?</h2>
        <RunControls
          startLabel="Check the backends"
          stopLabel="Stop the checks"
          isRunning={checking.isRunning}
          isDisabled={isBusy || chosen.length === 0}
          progress={progressOfChecks(checks)}
          failure={checking.failure}
          announcement={announcementOfChecks(checks)}
          onStart={check}
          onStop={stopChecks}
        />
        {checks !== undefined && <CheckTable run={checks} />}
        {checks !== undefined && checks.mutants.length > 0 && <MutantList run={checks} />}
      </section>

      <section aria-labelledby="machine-benchmark">
        <h2 id="machine-benchmark">How fast is it?</h2>
        <RunControls
          startLabel="Measure the speed"
          stopLabel="Stop measuring"
          isRunning={measuring.isRunning}
          isDisabled={isBusy || chosen.length === 0}
          progress={benchmarkProgress}
          failure={measuring.failure}
          announcement={
            measuring.isRunning
              ? "Measuring the speed."
              : isMeasurementStopped
                ? "The measurement is stopped."
                : tables.length > 0
                  ? "The speed is measured."
                  : ""
          }
          onStart={measure}
          onStop={stopMeasurement}
        />
        <BenchmarkTables tables={tables} />
      </section>

      {(checks !== undefined || tables.length > 0) && (
        <button type="button" class="machine-button" disabled={isBusy} onClick={downloadResults}>
          Download the results as JSON
        </button>
      )}
    </div>
  );
}
