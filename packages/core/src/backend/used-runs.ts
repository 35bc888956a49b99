import type { BatchRun } from "./backend.js";

/** The runs with updates. @param used a list for them, which replaces its contents */
export function usedRuns<R extends BatchRun>(runs: readonly R[], used: R[]): readonly R[] {
  let count = 0;
  for (const run of runs) {
    if (run.count === 0) continue;
    used[count] = run;
    count += 1;
  }
  used.length = count;
  return used;
}
