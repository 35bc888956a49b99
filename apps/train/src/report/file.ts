import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { OptionsError } from "../options.js";
import type { Report } from "./page.js";

/** Throws an `OptionsError` unless a report can be written to that file; leaves what is there as it is. */
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

/** Writes the report in place of what the file held. */
export async function writeReport(file: string, report: Report): Promise<void> {
  // The chart library is loaded by those who want a report, and by nobody else.
  const { renderReport } = await import("./page.js");
  writeFileSync(file, renderReport(report));
}
