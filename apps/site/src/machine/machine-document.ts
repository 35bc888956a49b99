import type { BackendDiagnosis, MutantDiagnosis } from "@gradstep/conformance/doctor";
import type { Availability } from "../backends/browser-backends.js";
import type { BenchmarkTable } from "./benchmark-table.js";
import type { CheckRun } from "./check-run.js";
import type { GpuAdapter } from "./gpu-adapter.js";
import type { ExtentName } from "./settings.js";

/** A browser, as far as it tells. */
export interface BrowserMachine {
  readonly userAgent: string;
  readonly processors: number;
  readonly crossOriginIsolated: boolean;
  readonly gpu: GpuAdapter | null;
}

/** What the page found, as plain data. Backends and mutants are those of `gradstep doctor --json`. */
export interface MachineDocument {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: BrowserMachine;
  readonly extent: ExtentName;
  readonly backends: readonly BackendDiagnosis[];
  readonly mutants?: MutantDiagnosis;
  readonly benchmark: readonly BenchmarkTable[];
  /** Whether the checks were stopped, or have not been started. */
  readonly interrupted: boolean;
}

/** The document of what is there now. */
export function machineDocument(
  machine: BrowserMachine,
  extent: ExtentName,
  availability: readonly Availability[],
  checks: CheckRun | undefined,
  benchmark: readonly BenchmarkTable[],
  date: Date,
): MachineDocument {
  const checked = checks?.backends.flatMap(({ diagnosis }) => diagnosis ?? []) ?? [];
  const failed = checks?.backends.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [absent(name, failure)],
  );
  const missing = availability.flatMap(({ name, reason }) =>
    reason === undefined ? [] : [absent(name, reason)],
  );
  return {
    date: date.toISOString(),
    machine,
    extent,
    backends: [...checked, ...(failed ?? []), ...missing],
    ...(checks?.mutantDiagnosis === undefined ? {} : { mutants: checks.mutantDiagnosis }),
    benchmark,
    interrupted: checks?.state !== "done",
  };
}

function absent(name: string, reason: string): BackendDiagnosis {
  return { name, status: "missing", reason, remedy: "" };
}
