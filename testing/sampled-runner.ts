import type { Runner } from "@gradstep/conformance";
import { isExhaustive, isFull, seed } from "./cases.js";

/** Of how many checks a run takes one. */
export interface Shares {
  /** In `npm test`. */
  readonly quick: number;
  /** In `pnpm test:full`; 1 if left out. More where the same code runs in another environment, too. */
  readonly full?: number;
}

/**
 * A runner for the conformance suite that runs a share of the checks, and in `pnpm test:exhaustive` all of them. What does
 * not apply to the backend is passed on.
 *
 * @param part which of the checks, less than the share: several runs take different ones
 */
export function sampledRunner(runner: Runner, part: number, { quick, full = 1 }: Shares): Runner {
  const share = isExhaustive ? 1 : isFull ? full : quick;
  let index = 0;
  let group: (() => unknown)[] = [];
  const register: Runner["test"]["skip"] = (...test) => {
    index += 1;
    if ((index + seed) % share === part % share) group.push(() => runner.test(...test));
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
