import type { Row } from "./bench.js";
import { gateSteps, tolerance } from "./gate.js";
import type { Machine } from "./machine.js";
import type { Native } from "./native.js";

/** What `--json` writes. */
export interface Document {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly seed: number;
  /** What a result may be off before a contender is timed. */
  readonly gate: { readonly steps: number; readonly tolerance: typeof tolerance };
  /** Workloads that this run leaves out. */
  readonly leftOut: readonly string[];
  readonly rows: readonly Row[];
  /** With `--native`: the machine's own speed, measured apart from the rows. */
  readonly native?: readonly Native[];
}

/** All of a run, as plain data. */
export function documentOf(run: Omit<Document, "gate">): Document {
  const { rows, native, ...about } = run;
  return {
    ...about,
    gate: { steps: gateSteps, tolerance },
    rows,
    ...(native === undefined ? {} : { native }),
  };
}
