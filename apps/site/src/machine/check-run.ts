import type { CheckResult, MutantResult } from "@gradstep/conformance";
import type { CheckedBackend, Extent, MutantDiagnosis } from "@gradstep/conformance/doctor";
import type { BackendName } from "../backends/browser-backends.js";
import type { CheckEvent, MachineWorker } from "./machine.worker.js";
import type { ExtentName } from "./settings.js";

/** The checks of one backend. */
export interface BackendRun {
  readonly name: BackendName;
  readonly results: readonly CheckResult[];
  /** When it ended. */
  readonly diagnosis?: CheckedBackend;
  /** Why it could not be checked. */
  readonly failure?: string;
}

/** A run of the suite: what the page shows. */
export interface CheckRun {
  readonly state: "running" | "stopped" | "done";
  readonly backends: readonly BackendRun[];
  readonly mutants: readonly MutantResult[];
  /** When the mutants ended. */
  readonly mutantDiagnosis?: MutantDiagnosis;
  /** What runs now: how many of its checks have ended. */
  readonly current:
    | {
        readonly what: BackendName | "mutants";
        readonly completed: number;
        readonly total: number;
      }
    | undefined;
}

/** How much the suite checks. */
export const suiteExtents: Readonly<Record<ExtentName, Extent>> = {
  quick: { cases: 8, seed: 1, full: false },
  full: { cases: 40, seed: 1, full: true },
};

/** A proxy of the worker, and how its callbacks are passed. */
export interface RunningWorker {
  readonly remote: MachineWorker;
  readonly callback: <Function extends object>(callback: Function) => Function;
}

/**
 * Checks backends one after the other, then the mutants.
 *
 * @param onChange called with the run after each change, until the signal aborts
 */
export async function runChecks(
  names: readonly BackendName[],
  extent: Extent,
  { remote, callback }: RunningWorker,
  signal: AbortSignal,
  onChange: (run: CheckRun) => void,
): Promise<void> {
  let run: CheckRun = {
    state: "running",
    backends: names.map((name) => ({ name, results: [] })),
    mutants: [],
    current: undefined,
  };
  const change = (changes: Partial<CheckRun>): void => {
    if (signal.aborted) return;
    run = { ...run, ...changes };
    onChange(run);
  };
  const changeBackend = (
    name: BackendName,
    changes: (backend: BackendRun) => Partial<BackendRun>,
  ): void =>
    change({
      backends: run.backends.map((one) => (one.name === name ? { ...one, ...changes(one) } : one)),
    });
  const eventsOf = <Result>(
    what: BackendName | "mutants",
    onResult: (result: Result) => void,
  ): ((event: CheckEvent<Result>) => void) =>
    callback((event: CheckEvent<Result>) => {
      if (event.type === "result") onResult(event.result);
      else change({ current: { what, completed: event.completed, total: event.total } });
    });

  for (const name of names) {
    change({ current: { what: name, completed: 0, total: 1 } });
    const onEvent = eventsOf<CheckResult>(name, (result) =>
      changeBackend(name, ({ results, diagnosis }) =>
        diagnosis === undefined ? { results: [...results, result] } : {},
      ),
    );
    try {
      const diagnosis = await remote.check(name, extent, onEvent);
      // Its last events may arrive later.
      changeBackend(name, () => ({ diagnosis, results: diagnosis.checks }));
    } catch (error) {
      changeBackend(name, () => ({
        failure: error instanceof Error ? error.message : String(error),
      }));
    }
  }
  change({ current: { what: "mutants", completed: 0, total: 1 } });
  const onEvent = eventsOf<MutantResult>("mutants", (result) =>
    change({ mutants: [...run.mutants, result] }),
  );
  const mutantDiagnosis = await remote.mutants(extent, onEvent);
  change({
    state: "done",
    current: undefined,
    mutants: mutantDiagnosis.mutants,
    mutantDiagnosis,
  });
}
