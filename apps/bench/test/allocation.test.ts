import { expect, test } from "vitest";
import { allocatedBytesPerStep, smallestObject } from "../src/allocation.js";
import type { Entrant } from "../src/contenders/contender.js";

let kept: unknown;

function stepping(step: () => void): Entrant {
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
  // An object of one field takes 16 bytes or more, with its place in the array 20.
  expect(bytes).toBeGreaterThan(1e4);
});

test("a step that allocates nothing shows nothing", async () => {
  const memory = new Int32Array(4);
  const entrant = stepping(() => {
    memory[0] += 1;
  });
  expect(await allocatedBytesPerStep(entrant, 5000)).toBeLessThan(smallestObject);
});
