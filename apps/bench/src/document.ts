import { checkedSteps, tolerance } from "./correctness.js";
import type { Machine } from "./machine.js";
import type { Row } from "./measure.js";
import type { Native } from "./native.js";

/** What `--json` writes. */
export interface Document {
  readonly machine: Machine;
  readonly quick: boolean;
  readonly seed: number;
  /** The check that every contender passes before it is timed. */
  readonly check: { readonly steps: number; readonly tolerance: typeof tolerance };
  /** Workloads that were not measured. */
  readonly skipped: readonly string[];
  readonly rows: readonly Row[];
  /** With `--native`: the machine's own speed, measured separately from the rows. */
  readonly native?: readonly Native[];
}

/** A whole run as plain data. */
export function documentOf(run: Omit<Document, "check">): Document {
  const { rows, native, ...about } = run;
  return {
    ...about,
    check: { steps: checkedSteps, tolerance },
    rows,
    ...(native === undefined ? {} : { native }),
  };
}
