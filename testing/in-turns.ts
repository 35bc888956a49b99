import * as vitest from "vitest";
import { isFull, seed } from "./cases.js";

/**
 * `test` for slow tests, such as those that start a program: of each `every` that follow one another `npm test` runs one,
 * another each day; `pnpm test:full` runs all.
 *
 *     const inTurn = inTurns(3);
 */
export function inTurns(every: number): (name: string, run: vitest.TestFunction) => void {
  let count = seed;
  return (name, run) => {
    if (isFull || count++ % every === 0) vitest.test(name, run);
  };
}
