import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { OptionsError } from "../options.mjs";
import type { Report } from "./page.js";

/** Throws an `OptionsError` unless a report can be written to that file. An existing file is left as it is. */
export function checkReportFile(file: string): void {
  const existed = existsSync(file);
  try {
    closeSync(openSync(file, "a"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new OptionsError(
      `Got --report ${file}, which cannot be written (${code}); expected a file in a folder that exists.`,
    );
  }
  if (!existed) rmSync(file);
}

/** Writes the report. An existing file is replaced. */
export async function writeReport(file: string, report: Report): Promise<void> {
  // Loaded here, because only a report needs the chart library.
  const { renderReport } = await import("./page.js");
  writeFileSync(file, renderReport(report));
}
