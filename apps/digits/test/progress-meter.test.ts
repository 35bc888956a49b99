import { expect, test } from "vitest";
import { ProgressMeter } from "../src/training/progress-meter.js";

test("a state of more batches than a call takes arguments is restored", () => {
  const batches = 300_000;
  const first = new ProgressMeter(batches, []);
  first.startEpoch();
  for (let i = 0; i < batches; i += 1) {
    first.learningRates.push(i);
    first.optimizerTimes.push(1 / 8);
    first.losses.push(-i);
  }
  const second = new ProgressMeter(batches, [1, 2, 3]);
  second.restore(first.state());
  for (const name of ["losses", "learningRates", "optimizerTimes"] as const) {
    expect(second[name]).toHaveLength(batches);
    expect(second[name].every((value, i) => value === first[name][i])).toBe(true);
  }
});
