import * as vitest from "vitest";
import { isFull } from "./cases.js";

/** `test` for a slow test in a file of quick ones: `npm test` leaves it out. A file of slow tests is a `*.full.test.ts`. */
export function slowTest(name: string, run: vitest.TestFunction): void {
  if (isFull) vitest.test(name, run);
}
