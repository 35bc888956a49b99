import { expect, test } from "vitest";
import { sampled } from "../../../../testing/cases.js";
import { slowTest } from "../../../../testing/slow-test.js";
import type { StageName } from "../../src/core-names.js";
import { stageEntries } from "../../src/reference/entries.js";
import { stageInfos } from "../../src/reference/stages/stage-infos.js";
import { constraintRuns } from "../../src/reference/stages/tfjs-constraints.js";

const stages = stageEntries();

test.each(sampled(stages, 6))(
  "the chart of $title has finite values, and another line than without it",
  ({ effect }) => {
    const { lines, caption } = effect();
    expect(caption).toMatch(/\.$/);
    const values = lines.flatMap(({ points }) => points.flat());
    expect(values.every(Number.isFinite)).toBe(true);
    const [first, ...others] = lines.map(({ points }) => JSON.stringify(points));
    expect(others.length).toBeGreaterThan(0);
    expect(others.every((one) => one !== first)).toBe(true);
  },
);

/** What a line should be, by the stage and the line's name. */
const expected: Readonly<
  Partial<Record<StageName, Readonly<Record<string, (x: number) => number>>>>
> = {
  clipByValue: { "clipValue: 2": (x) => Math.max(-2, Math.min(2, x)) },
  clipByNorm: { "clipNorm: 1": (x) => Math.min(1, x) },
  clipByGlobalNorm: {
    "both tensors": (x) => Math.min(1, x),
    "first tensor": (x) => Math.min(1, x) / 2,
  },
  adaptiveGradientClip: { "weights of norm 3": (x) => Math.min(0.03, x) },
  clipUpdateByRms: { "clipUpdateRms: 1": (x) => Math.min(1, x) },
  trustRatio: { "tensor of norm 3": () => 3 },
  decoupledWeightDecay: { "decoupledWeightDecay: 0.1": (x) => 0.05 + 0.1 * x },
  cautiousWeightDecay: { "cautiousWeightDecay: 0.1": (x) => 0.05 + 0.1 * Math.max(0, x) },
  maxNorm: { "maxNorm: 2": (x) => Math.min(2, x) },
  unitNorm: { "unitNorm()": () => 1 },
  nonNegativeWeights: { "nonNegativeWeights()": (x) => Math.max(0, x) },
  clampWeights: { "minWeight: -1, maxWeight: 1": (x) => Math.max(-1, Math.min(1, x)) },
};

test.each(Object.entries(expected))("the chart of %s shows its formula", (stage, lines) => {
  const effect = stageInfos[stage as StageName].effect();
  for (const [name, valueAt] of Object.entries(lines)) {
    const { points } = effect.lines.find((one) => one.name === name)!;
    // Unit norms are divided by the norm plus 1e-7.
    for (const [x, y] of points) expect(Math.abs(y - valueAt(x)), `${x}`).toBeLessThan(1e-5);
  }
});

test("a centralized gradient has the mean 0", () => {
  const { points } = stageInfos.centralizeGradients.effect().lines[1];
  expect(points.reduce((sum, [, value]) => sum + value, 0)).toBeCloseTo(0, 6);
});

test("a cautious update is 0 where the signs of gradient and momentum differ, and larger elsewhere", () => {
  const [gradient, momentum, cautious] = stageInfos.cautiousUpdate
    .effect()
    .lines.map(({ points }) => points.map(([, value]) => value));
  const agrees = gradient.map((value, i) => value * momentum[i] > 0);
  const factor = agrees.length / agrees.filter(Boolean).length;
  cautious.forEach((value, i) => {
    expect(value).toBeCloseTo(agrees[i] ? factor * momentum[i] : 0, 5);
  });
});

slowTest("the constraints of TensorFlow.js are the stages, to a few roundings", async () => {
  const runs = await Promise.all(
    stages.map(({ rule, counterparts }) => constraintRuns(rule, counterparts)),
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
