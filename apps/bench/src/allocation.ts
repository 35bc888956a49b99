import { type HeapProfiler, Session } from "node:inspector";
import type { Entrant } from "./contenders/contender.js";
import { median } from "./statistics.js";

/** The engine notes one object about each so many bytes; from the notes it estimates the rest. */
const interval = { coarse: 65_536, fine: 128 } as const;

/** More notes than this say nothing new and fill the memory. */
const notes = 20_000;

/** The middle one of so many counts: the engine may compile something in one of them. */
const counts = 3;

/** Bytes. Where a step shows less, most steps allocate nothing: what is left are the engine's own notes on the code. */
export const smallestObject = 16;

/** At least and at most so many steps make a count. */
const bounds = { least: 1, most: 2000 } as const;

/**
 * Bytes a step allocates on the JavaScript heap, garbage included, as the engine's sampling profiler sees it: an
 * estimate, below `smallestObject` where nothing is allocated. The contents of large typed arrays lie outside that heap.
 *
 * @param steps how many to watch, about.
 */
export async function allocatedBytesPerStep(entrant: Entrant, steps: number): Promise<number> {
  const each = Math.round(Math.min(bounds.most, Math.max(bounds.least, steps / counts)));
  await entrant.enter?.();
  // A first look says how closely to look.
  const about = sample(entrant, 1, interval.coarse) * each;
  const closely = Math.max(interval.fine, Math.round(about / notes));
  const bytes: number[] = [];
  while (bytes.length < counts) {
    await entrant.settle?.();
    bytes.push(sample(entrant, each, closely) / each);
  }
  await entrant.settle?.();
  return median(bytes);
}

/** Bytes allocated in so many steps. */
function sample(entrant: Entrant, steps: number, samplingInterval: number): number {
  const session = new Session();
  session.connect();
  try {
    const options = {
      samplingInterval,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    };
    session.post("HeapProfiler.startSampling", options);
    watched(entrant, steps);
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

function watched(entrant: Entrant, steps: number): void {
  for (let i = 0; i < steps; i += 1) entrant.step();
}

/** What was allocated inside `watched`: starting and stopping the profiler allocates, too. */
function bytesUnder(node: HeapProfiler.SamplingHeapProfileNode, inside: boolean): number {
  const within = inside || node.callFrame.functionName === watched.name;
  return node.children.reduce(
    (sum, child) => sum + bytesUnder(child, within),
    within ? node.selfSize : 0,
  );
}
