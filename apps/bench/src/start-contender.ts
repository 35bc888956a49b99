import { rule } from "./adam.js";
import type { Contender, RunningContender } from "./contenders/contender.js";
import { checkResult, expectedOf, expectedOfBlock } from "./correctness.js";
import type { Data } from "./data.js";

/** A contender whose result is right. */
export interface StartedContender {
  readonly running: RunningContender;
  /** The largest error after the checked steps, as a multiple of the tolerance; null for a baseline. */
  readonly largestErrorOverTolerance: number | null;
}

/**
 * Starts a contender on a workload and checks its result.
 *
 * @param expected of the block, from `expectedParameters`
 * @throws {WrongResult}
 */
export async function startContender(
  { name, isBaseline = false, spec = rule, expected: own, start }: Contender,
  data: Data,
  expected: Float64Array,
): Promise<StartedContender> {
  const running = await start(data);
  if (isBaseline) return { running, largestErrorOverTolerance: null };
  try {
    const right =
      (await own?.(data)) ??
      (spec === rule ? expectedOfBlock(expected, data) : await expectedOf(spec, data));
    return { running, largestErrorOverTolerance: await checkResult(name, running, data, right) };
  } catch (error) {
    running.dispose();
    throw error;
  }
}
