import { stages } from "@gradstep/core/stages";
import { expect, test } from "vitest";
import { effectOf } from "../../src/reference/stages/stage-effects.js";
import { stageCounterpartsOf } from "../../src/reference/stages/stage-counterparts.js";
import { constraintRuns } from "../../src/reference/stages/tfjs-constraints.js";

test.each(stages)(
  "the chart of $name has finite values, and another line than without it",
  (stage) => {
    const { lines, caption } = effectOf(stage.name);
    expect(caption).toMatch(/\.$/);
    const values = lines.flatMap(({ points }) => points.flat());
    expect(values.every(Number.isFinite)).toBe(true);
    const [first, ...others] = lines.map(({ points }) => JSON.stringify(points));
    expect(others.length).toBeGreaterThan(0);
    expect(others.every((one) => one !== first)).toBe(true);
  },
);

/** What a line should be, by the stage and the line's name. */
const expected: Readonly<Record<string, Readonly<Record<string, (x: number) => number>>>> = {
  "clip-by-value": { "clipValue: 2": (x) => Math.max(-2, Math.min(2, x)) },
  "clip-by-norm": { "clipNorm: 1": (x) => Math.min(1, x) },
  "clip-by-global-norm": {
    "both tensors": (x) => Math.min(1, x),
    "first tensor": (x) => Math.min(1, x) / 2,
  },
  "adaptive-gradient-clip": { "weights of norm 3": (x) => Math.min(0.03, x) },
  "clip-update-by-rms": { "clipUpdateRms: 1": (x) => Math.min(1, x) },
  "trust-ratio": { "tensor of norm 3": () => 3 },
  "decoupled-weight-decay": { "decoupledWeightDecay: 0.1": (x) => 0.05 + 0.1 * x },
  "cautious-weight-decay": { "cautiousWeightDecay: 0.1": (x) => 0.05 + 0.1 * Math.max(0, x) },
  "max-norm": { "maxNorm: 2": (x) => Math.min(2, x) },
  "unit-norm": { "unitNorm()": () => 1 },
  "non-negative-weights": { "nonNegativeWeights()": (x) => Math.max(0, x) },
  "clamp-weights": { "minWeight: -1, maxWeight: 1": (x) => Math.max(-1, Math.min(1, x)) },
};

test.each(Object.entries(expected))("the chart of %s shows its formula", (stage, lines) => {
  for (const [name, valueAt] of Object.entries(lines)) {
    const { points } = effectOf(stage).lines.find((one) => one.name === name)!;
    // Unit norms are divided by the norm plus 1e-7.
    for (const [x, y] of points) expect(Math.abs(y - valueAt(x)), `${x}`).toBeLessThan(1e-5);
  }
});

test("a centralized gradient has the mean 0", () => {
  const { points } = effectOf("centralize-gradients").lines[1];
  expect(points.reduce((sum, [, value]) => sum + value, 0)).toBeCloseTo(0, 6);
});

test("a cautious update is 0 where the signs of gradient and momentum differ, and larger elsewhere", () => {
  const [gradient, momentum, cautious] = effectOf("cautious-update").lines.map(({ points }) =>
    points.map(([, value]) => value),
  );
  const agrees = gradient.map((value, i) => value * momentum[i] > 0);
  const factor = agrees.length / agrees.filter(Boolean).length;
  cautious.forEach((value, i) => {
    expect(value).toBeCloseTo(agrees[i] ? factor * momentum[i] : 0, 5);
  });
});

test("the constraints of TensorFlow.js are the stages, to a few roundings", async () => {
  const runs = await Promise.all(
    stages.map((stage) => constraintRuns(stage, stageCounterpartsOf(stage.name))),
  );
  expect(runs.flat().map(({ there }) => there.split("(")[0])).toEqual([
    "tf.constraints.maxNorm",
    "tf.constraints.minMaxNorm",
    "tf.constraints.nonNeg",
    "tf.constraints.unitNorm",
  ]);
  for (const { relativeDifference } of runs.flat())
    expect(relativeDifference).toBeLessThanOrEqual(4 * 2 ** -24);
});
