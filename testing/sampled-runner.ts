import type { Runner } from "@gradstep/conformance";
import { isFull, seed } from "./cases.js";

/**
 * A runner for the conformance suite of which `npm test` runs one check of `count`, and `pnpm test:full` all of them.
 * What does not apply to the backend is passed on.
 *
 * @param part which of the checks, less than `count`: several runs take different ones
 */
export function sampledRunner(runner: Runner, part: number, count: number): Runner {
  let index = 0;
  let group: (() => unknown)[] = [];
  const register: Runner["test"]["skip"] = (...test) => {
    index += 1;
    if (isFull || (index + seed) % count === part) group.push(() => runner.test(...test));
  };
  const skip: Runner["test"]["skip"] = (...test) => {
    group.push(() => runner.test.skip(...test));
  };
  const describe = (name: string, body: () => void): void => {
    group = [];
    body();
    const tests = group;
    // vitest refuses a group without tests.
    if (tests.length > 0) runner.describe(name, () => tests.forEach((add) => add()));
  };
  return { describe, test: Object.assign(register, { skip }) };
}
