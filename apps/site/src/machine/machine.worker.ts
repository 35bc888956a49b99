import type { CheckResult, MutantResult } from "@gradstep/conformance";
import {
  checkBackend,
  checkMutants,
  type CheckedBackend,
  type CheckEvents,
  type Extent,
  type MutantDiagnosis,
} from "@gradstep/conformance/doctor";
import { expose } from "comlink";
import type { BackendName } from "../backends/browser-backends.js";
import { candidateOf, openForChecks } from "./candidates.js";

/** What the worker says while it checks. */
export type CheckEvent<Result> =
  | { readonly type: "progress"; readonly completed: number; readonly total: number }
  | { readonly type: "result"; readonly result: Result };

/** What the page calls. To stop it, the page ends the worker. */
export interface MachineWorker {
  check(
    name: BackendName,
    extent: Extent,
    onEvent: (event: CheckEvent<CheckResult>) => void,
  ): Promise<CheckedBackend>;
  mutants(
    extent: Extent,
    onEvent: (event: CheckEvent<MutantResult>) => void,
  ): Promise<MutantDiagnosis>;
}

/** Milliseconds between two messages about progress: there are thousands of cases. */
const interval = 100;

function eventsOf<Result>(onEvent: (event: CheckEvent<Result>) => void): CheckEvents<Result> {
  let last = 0;
  return {
    onProgress: (completed, total) => {
      const now = performance.now();
      if (now - last < interval) return;
      last = now;
      onEvent({ type: "progress", completed, total });
    },
    onResult: (result) => onEvent({ type: "result", result }),
  };
}

expose({
  check: async (name, extent, onEvent) => {
    const backend = await openForChecks(name);
    try {
      return await checkBackend(candidateOf(name), backend, extent, eventsOf(onEvent));
    } finally {
      backend.dispose();
    }
  },
  mutants: (extent, onEvent) => checkMutants(extent, eventsOf(onEvent)),
} satisfies MachineWorker);
