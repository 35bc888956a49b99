import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { hostRunner } from "../../../testing/host-runner.js";
import { sampledRunner } from "../../../testing/sampled-runner.js";
import { slowTest } from "../../../testing/slow-test.js";
import { wgsl } from "../src/bounds/error-model.js";
import { runMutants } from "../src/mutants/run-mutants.js";
import { conformance } from "../src/suite/conformance.js";
import { worstCase } from "../src/simulated-gpu/worst-case-backend.js";
import { roundTowards, ulp } from "../src/simulated-gpu/float-neighbors.js";

// All of them take five minutes; `gradstep-conformance mutants` runs all within f32's bounds.
const sampleSize = cases(60, 1);
const sampled = `a sample of ${sampleSize}, GRADSTEP_SEED=${seed}`;

describe("the worst case of WGSL", () => {
  // `pnpm conformance verify worst-case --cases 100000` runs more of them.
  const backend = () => worstCase(11);
  const runner = hostRunner(backend);
  conformance({
    backend,
    model: wgsl,
    cases: cases(600, 25),
    maxKernels: cases(24, 2),
    maskTensors: runner.maskTensors,
    ...sampledRunner(runner, 1, { quick: 12 }),
  });
});

test("units in the last place", () => {
  expect([ulp(1), ulp(1.99), ulp(2), ulp(2 ** -126), ulp(2 ** -140)]).toEqual([
    2 ** -23,
    2 ** -23,
    2 ** -22,
    2 ** -149,
    2 ** -149,
  ]);
  expect(roundTowards(1 + 2 ** -24, 1)).toBe(1);
  expect(roundTowards(1 + 2 ** -24, 2)).toBe(1 + 2 ** -23);
});

slowTest(`mutants are noticed within WGSL's bounds, on the worst case (${sampled})`, async () => {
  const report = await runMutants({
    model: wgsl,
    backend: () => worstCase(5),
    cases: 100,
    sample: { count: sampleSize, seed },
  });
  expect(report).toMatchObject({ falseAlarms: [], survivors: [] });
  expect(report.allowed).toEqual([
    // An implementation may assume that there is neither.
    "NaN becomes 0",
    "infinity becomes the largest number",
    // Subnormals may be flushed.
    "products among subnormals flushed",
    // There may be no NaN.
    "max that forgets NaN",
    // Products may be twice as far off.
    "the scale of integers is that of f64",
    "subnormal f16 gradients are 0",
    // Either neighbor may be stored.
    "f16 copies are cut off and not rounded",
    "f16 copies have no subnormal values",
  ]);
});
