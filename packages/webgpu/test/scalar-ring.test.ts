import type { Update } from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { maxUnsubmittedSteps } from "../src/planning/dispatch/delayed-destruction.js";
import type { TabledDispatch } from "../src/planning/dispatch/dispatch.js";
import { ScalarBlocks } from "../src/planning/scalars/scalar-blocks.js";
import { ScalarRing } from "../src/planning/scalars/scalar-ring.js";
import { Random } from "./random.js";
import { recordingDevice } from "./recording-device.js";

/** Where the scalars of a step are, and what they are. */
interface Step {
  readonly buffer: { readonly bytes: Uint8Array; readonly isDestroyed: boolean };
  readonly offset: number;
  readonly scalars: readonly number[];
}

function isIntact({ buffer, offset, scalars }: Step): boolean {
  const start = buffer.bytes.byteOffset + offset;
  const found = new Float32Array(buffer.bytes.buffer, start, scalars.length);
  return !buffer.isDestroyed && scalars.every((value, i) => Object.is(found[i], value));
}

describe("the ring of scalars", () => {
  test(`has those of the last recorded steps, whatever is foreseen (seed ${seed})`, () => {
    const random = new Random(seed);
    for (let round = 0; round < cases(200, 20); round += 1) {
      const { device } = recordingDevice();
      const ring = new ScalarRing(device, "test", "UNIFORM");
      // What later steps will have, often: a hint may be wrong, and hyperparameters may be set.
      const plan: number[][] = [];
      const [chanceOfChange, chanceOfHint] = [random.below(5), random.below(5)];
      const draw = (): number[] => [random.below(2), random.below(2), random.below(3)];
      const scalarsOf = (t: number): number[] => (plan[t] ??= draw());
      const scalars = new Float64Array(3);
      let t = 0;
      const upcomingScalars = (steps: number, target: Float64Array): boolean => {
        target.set(scalarsOf(t + steps));
        return random.below(16) > chanceOfHint;
      };
      const update = { scalars, upcomingScalars } as unknown as Update;
      const dispatch = { scalarSets: [scalars], kernel: { scalarSetLength: 16 } };
      const blocksOf = (count: number): ScalarBlocks =>
        new ScalarBlocks(
          device,
          // Equal dispatches share a block; the second one has more sets.
          [dispatch, { ...dispatch, scalarSets: Array.from({ length: count }, () => scalars) }].map(
            (one) => one as unknown as TabledDispatch,
          ),
          [update],
        );
      const blocks = [blocksOf(1), blocksOf(1), blocksOf(1 + random.below(20))];
      const recorded: Step[] = [];
      for (t = 0; t < 1000; t += 1) {
        if (random.below(16) < chanceOfChange) plan.length = t;
        scalars.set(scalarsOf(t));
        const own = blocks[random.below(3)];
        const submitter = random.below(4) > 0 ? "caller" : "backend";
        const buffer = ring.prepare(own, submitter) as unknown as Step["buffer"];
        const offset = ring.write(own, submitter);
        const all = new Float32Array(own.words().buffer);
        const step = { buffer, offset, scalars: [...all] };
        if (!isIntact(step) || !isIntact({ ...step, scalars: [...scalars] }))
          throw new Error(`step ${t} has other scalars`);
        if (submitter === "backend") continue;
        recorded.push(step);
        if (recorded.length > maxUnsubmittedSteps) recorded.shift();
        if (t % 10 === 0 && !recorded.every(isIntact)) throw new Error(`lost before step ${t}`);
      }
      expect(recorded.every(isIntact)).toBe(true);
    }
  });
});
