import { expect, test } from "vitest";
import { allocatedBytesPerStep, smallestObject } from "../src/allocation.js";
import type { RunningContender } from "../src/contenders/contender.js";

let kept: unknown;

function stepping(step: () => void): RunningContender {
  return { step, read: async () => [], stateBytes: async () => 0, dispose: () => {} };
}

test("garbage is counted", async () => {
  const bytes = await allocatedBytesPerStep(
    stepping(() => {
      kept = Array.from({ length: 1000 }, (_, i) => ({ i }));
    }),
    500,
  );
  expect(kept).toHaveLength(1000);
  // An object with one field takes at least 16 bytes, plus 4 in the array.
  expect(bytes).toBeGreaterThan(1e4);
});

test("a step that allocates nothing has no bytes", async () => {
  const memory = new Int32Array(4);
  const contender = stepping(() => {
    memory[0] += 1;
  });
  expect(await allocatedBytesPerStep(contender, 5000)).toBeLessThan(smallestObject);
});
