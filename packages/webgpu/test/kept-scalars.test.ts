import type { GuardOptions } from "@gradstep/core";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { KeptScalars } from "../src/guard/kept-scalars.js";
import { Random } from "./random.js";

const keptSteps = 4;

/** A step that was recorded: where the device looks for its scalars, and what they were. */
interface Recorded {
  readonly step: number;
  readonly offset: number;
  readonly epoch: number;
  readonly scalars: number;
}

test(`recorded steps find the scalars of their time, or none (seed ${seed})`, () => {
  const random = new Random(seed);
  for (let round = 0; round < cases(1000, 50); round += 1) {
    let buffer = new Uint32Array(0);
    const device = {
      createBuffer: ({ size }: { readonly size: number }) => {
        buffer = new Uint32Array(size / 4);
        return {};
      },
      queue: {
        writeBuffer: (
          _: unknown,
          byteOffset: number,
          words: Uint32Array,
          start: number,
          length: number,
        ) => buffer.set(words.subarray(start, start + length), byteOffset / 4),
      },
    };
    const scalars = new Float64Array(1);
    const options = { scalars: [scalars], persistent: new Float64Array(0), keptSteps };
    const kept = new KeptScalars(
      device as unknown as GPUDevice,
      options as unknown as GuardOptions,
    );
    /** What the device finds for a recorded step, as the decide kernel looks for it. */
    const found = ({ step, offset, epoch }: Recorded): number | undefined => {
      const row = ((step + offset) % kept.rows) * kept.rowLength;
      if (buffer[row] !== step || buffer[row + 1] !== epoch) return undefined;
      return new Float32Array(buffer.buffer)[row + kept.scalarsStart];
    };
    const recorded: Recorded[] = [];
    let step = 1;
    let next = 1;
    let value = 0;
    let lost = 0;
    for (let call = 0; call < 40; call += 1) {
      if (random.below(3) === 0) {
        kept.replace(step);
        next = step;
      }
      // The scalars of this step, and of some that follow it.
      const values = new Map<number, number>();
      const end = Math.max(next, step + 1 + random.below(keptSteps));
      for (; next < end; next += 1) {
        value += 1;
        scalars[0] = value;
        values.set(next, value);
        kept.store(next, 0);
      }
      kept.flush();
      const { offset, epoch } = kept;
      for (const [stored, own] of values)
        recorded.push({ step: stored, offset, epoch, scalars: own });
      // A bare comparison: `expect` for each of them would take most of the time.
      const wrong = recorded.filter((one) => ![undefined, one.scalars].includes(found(one)));
      expect(wrong).toEqual([]);
      const last = recorded.filter((one) => one.step === step).at(-1)!;
      // As long as the ring has a row for each of them, none is lost.
      lost += next - step <= keptSteps && found(last) === undefined ? 1 : 0;
      step += 1;
    }
    expect(lost).toBe(0);
  }
});
