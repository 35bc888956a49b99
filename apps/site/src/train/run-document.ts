import type { Epoch } from "@gradstep/digits";
import type { HyperparameterChange } from "./live-hyperparameters.js";
import type { RunSettings } from "./run-settings.js";
import type { RunResult } from "./training-session.js";

/** A run as it is downloaded. */
export interface RunDocument {
  readonly name: string;
  readonly settings: RunSettings;
  readonly changes: readonly HyperparameterChange[];
  readonly result: RunResult | null;
  readonly history: readonly Epoch[];
  /** The loss of each batch. Numbers that are not finite become null in JSON. */
  readonly batchLosses: readonly number[];
  readonly learningRates: readonly number[];
}

/** Runs as JSON. */
export function jsonOf(runs: readonly RunDocument[]): string {
  return `${JSON.stringify({ runs }, undefined, 2)}\n`;
}

/** A row per batch of each run. Numbers are written with all digits. */
export function csvOf(runs: readonly RunDocument[]): string {
  const rows = runs.flatMap(({ name, settings, batchLosses, learningRates }) =>
    batchLosses.map((loss, batch) =>
      [
        quoted(name),
        settings.optimizer,
        settings.backend,
        batch + 1,
        learningRates[batch],
        loss,
      ].join(","),
    ),
  );
  return ["run,optimizer,backend,batch,learning rate,loss", ...rows, ""].join("\r\n");
}

/** A field of RFC 4180. A name that a spreadsheet would take for a formula becomes text. */
function quoted(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
