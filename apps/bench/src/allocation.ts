import { type HeapProfiler, Session } from "node:inspector";
import { median } from "@gradstep/apps-shared/median";
import type { RunningContender } from "./contenders/contender.js";

/** The profiler samples about one object per this many bytes, and estimates the rest. */
const samplingIntervals = { coarse: 65_536, fine: 128 } as const;

/** More samples than this add no precision and fill the memory. */
const maxSamples = 20_000;

/** The median of this many counts is used: the engine may compile something during one of them. */
const counts = 3;

/** Bytes. Below this, most steps allocate nothing: the rest is the engine's own data about the code. */
export const smallestObject = 16;

/** Steps per count. */
const stepsPerCount = { min: 1, max: 2000 } as const;

/**
 * Bytes that a step allocates on the JavaScript heap, garbage included, as the engine's sampling profiler sees it: an
 * estimate, below `smallestObject` if nothing is allocated. The contents of large typed arrays are not on that heap.
 *
 * @param steps about how many steps to count.
 */
export async function allocatedBytesPerStep(
  contender: RunningContender,
  steps: number,
): Promise<number> {
  const each = Math.round(Math.min(stepsPerCount.max, Math.max(stepsPerCount.min, steps / counts)));
  await contender.activate?.();
  // A coarse estimate determines the precise interval.
  const estimate = sample(contender, 1, samplingIntervals.coarse) * each;
  const interval = Math.max(samplingIntervals.fine, Math.round(estimate / maxSamples));
  const bytes: number[] = [];
  while (bytes.length < counts) {
    await contender.waitUntilDone?.();
    bytes.push(sample(contender, each, interval) / each);
  }
  await contender.waitUntilDone?.();
  return median(bytes);
}

/** Bytes allocated in that many steps. */
function sample(contender: RunningContender, steps: number, samplingInterval: number): number {
  const session = new Session();
  session.connect();
  try {
    const options = {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    };
    session.post("HeapProfiler.startSampling", options);
    makeSteps(contender, steps);
    let bytes: number | undefined;
    // Answered before `post` returns.
    session.post("HeapProfiler.stopSampling", (error, result) => {
      if (error === null) bytes = bytesUnder(result.profile.head, false);
    });
    if (bytes === undefined) throw new Error("The heap profiler gave no profile.");
    return bytes;
  } finally {
    session.disconnect();
  }
}

function makeSteps(contender: RunningContender, steps: number): void {
  for (let i = 0; i < steps; i += 1) contender.step();
}

/** Only what was allocated inside `makeSteps`: starting and stopping the profiler allocates too. */
function bytesUnder(node: HeapProfiler.SamplingHeapProfileNode, inside: boolean): number {
  const within = inside || node.callFrame.functionName === makeSteps.name;
  return node.children.reduce(
    (sum, child) => sum + bytesUnder(child, within),
    within ? node.selfSize : 0,
  );
}
