import { describe, expect, test } from "vitest";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import { chain } from "../src/rule/chain.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { nadam } from "../src/rules/nadam.js";
import { warmup } from "../src/schedules/factories.js";
import { ema } from "../src/stages/factories.js";
import {
  badGradients,
  contentOf,
  expectSame,
  gradientsOf,
  refused,
  rejectionOf,
  sparseGradient,
  startBoth,
} from "./guarded-runs.js";
import type { Target } from "./host-guard.js";

const spec = chain(adamw({ learningRate: warmup(20, 0.1) }), ema(0.9));
const rowSteps = { sparse: "lazy", rowSteps: true } as const;
const good = gradientsOf(1);
const bad = badGradients(2);

describe('nonFinite "throw" on a device', () => {
  test.each([1, 2])(
    "the step and those after it change nothing until a reading rejects; accumulate %d",
    async (accumulate) => {
      const runs = startBoth(spec, { accumulate, lossScale: 8 }, { nonFinite: "throw" });
      const { optimizer } = runs.guarded;
      const step = (gradients: object, isTaken: boolean): void => {
        for (let call = 0; call < accumulate; call += 1)
          runs.step(call === 0 ? gradients : good, isTaken);
      };
      for (let i = 0; i < 3; i += 1) step(gradientsOf(i), true);
      for (let i = 3; i < 7; i += 1) step(i % 2 === 1 ? badGradients(i) : gradientsOf(i), false);
      expect(await rejectionOf(optimizer)).toMatchObject({
        code: "NON_FINITE",
        message: expect.stringContaining("step 4 is not finite: step 4 and the 3 after it were"),
      });
      expect(optimizer.iterations).toBe(3);
      await expectSame(runs);
      // It goes on, and stops again.
      for (let i = 7; i < 9; i += 1) step(gradientsOf(i), true);
      await expectSame(runs);
      step(bad, false);
      await expect(optimizer.state()).rejects.toMatchObject({
        code: "NON_FINITE",
        message: expect.stringContaining("step 6 is not finite: step 6 was not taken"),
      });
      step(gradientsOf(10), true);
      await expectSame(runs);
      expect(optimizer.lossScale).toBe(8);
    },
  );

  test.each([{}, rowSteps])(
    "of two readings one rejects, and neither counts what was left out; %o",
    async (options) => {
      const runs = startBoth(adam(), options, { nonFinite: "throw" });
      const { optimizer } = runs.guarded;
      runs.step(gradientsOf(3));
      runs.step(bad, false);
      const first = rejectionOf(optimizer);
      runs.step(gradientsOf(4), false);
      const second = rejectionOf(optimizer);
      for (let i = 0; i < 3; i += 1) runs.step(gradientsOf(i), false);
      expect(await first).toMatchObject({ code: "NON_FINITE" });
      runs.step(gradientsOf(5));
      expect(await second).toBeUndefined();
      expect(optimizer.iterations).toBe(2);
      for (let i = 6; i < 9; i += 1) runs.step(gradientsOf(i));
      await expectSame(runs);
    },
  );

  test.each([{}, { lossScale: 4 }])(
    "gradients that are given with clear keep their bits until it goes on; %o",
    async (options) => {
      const { optimizer } = startBoth(adam(), {}, { nonFinite: "throw", ...options }).guarded;
      const gradient = optimizer.gradient("w");
      for (const { w } of [bad, good]) {
        gradient.write(w);
        optimizer.step({ w: gradient }, { clear: true });
        expect(await gradient.read()).toEqual(w);
      }
      expect(await rejectionOf(optimizer)).toMatchObject({ code: "NON_FINITE" });
      optimizer.step({ w: gradient }, { clear: true });
      expect(await gradient.read()).toEqual(new Float32Array(20));
    },
  );
});

describe("scalars of steps of which the host has not heard", () => {
  // Without a rate that is set, the device keeps those of 2,048 steps, otherwise those of 256.
  test.each([
    [255, true],
    [2047, false],
  ])("%d steps may be skipped, and one more stops it; a rate is set: %s", async (most, isSet) => {
    for (const skipped of [most, most + 1]) {
      const runs = startBoth(adam());
      runs.step(good);
      for (let i = 0; i < skipped; i += 1)
        runs.guarded.optimizer.step({ s: Float32Array.of(Number.NaN) });
      if (isSet) for (const one of [runs.guarded, runs.plain]) one.optimizer.learningRate = 0.01;
      const isTaken = skipped === most;
      runs.step(good, isTaken);
      if (!isTaken) runs.step(good, false);
      const error = await rejectionOf(runs.guarded.optimizer);
      const stop = "had the scalars of step 2: step 2 and the 1 after it were not taken";
      expect(error).toEqual(isTaken ? undefined : refused(stop));
      await expectSame(runs);
      runs.step(good);
      await expectSame(runs);
      expect(runs.guarded.optimizer.skippedSteps).toBe(skipped);
    }
  });

  test("persistent scalars, after as many skipped steps as the device keeps scalars of", async () => {
    const runs = startBoth(nadam());
    runs.step(good);
    for (let i = 0; i < 2050; i += 1)
      runs.guarded.optimizer.step({ s: Float32Array.of(Number.NaN) });
    await runs.guarded.optimizer.metrics();
    runs.step(good);
    expect(runs.guarded.optimizer.skippedSteps).toBe(2050);
    await expectSame(runs);
  });

  test("the message of a stop counts the steps since the last reading alone", async () => {
    const { guarded } = startBoth(adam({ learningRate: warmup(20, 0.1) }), rowSteps);
    const skip = (steps: number): void => {
      for (let i = 0; i < steps; i += 1) guarded.optimizer.step({ w: sparseGradient(i, true) });
    };
    skip(3);
    await guarded.optimizer.metrics();
    skip(16);
    for (let i = 0; i < 2; i += 1) guarded.optimizer.step({ w: sparseGradient(3) });
    const error = await rejectionOf(guarded.optimizer);
    expect(error).toEqual(refused("step 1 and the 1 after it were not taken"));
    expect(guarded.optimizer.skippedSteps).toBe(19);
  });

  test("persistent scalars go on in a step without gradients of the groups that are due", async () => {
    const runs = startBoth(nadam(), { groups: [{ match: "b", every: 2 }] });
    const { b } = gradientsOf(4);
    runs.step(good);
    runs.step(good);
    runs.step({ b });
    await expectSame(runs);
    runs.step(bad, false);
    await runs.guarded.optimizer.metrics();
    runs.step(good);
    expect(runs.guarded.optimizer.skippedSteps).toBe(1);
    await expectSame(runs);
  });

  test("encoded work that is submitted too late is not taken", async () => {
    const { guarded } = startBoth(adamw());
    const { optimizer } = guarded;
    const w = optimizer.gradient("w");
    const before = await contentOf(guarded);
    const target: Target = [];
    for (let i = 0; i < 2100; i += 1) optimizer.encode(target, { w });
    guarded.submit(target);
    expect(await rejectionOf(optimizer)).toEqual(refused("had the scalars of step 1:"));
    expect(await contentOf(guarded)).toEqual(before);
  });

  test.each<[string, OptimizerOptions]>([
    ["of all parameters", {}],
    ["beside a group without one", { groups: [{ match: "b", rule: adam(), ...rowSteps }] }],
  ])(
    "rows that count their own steps and follow a schedule %s: 15 steps may be skipped",
    async (_, options) => {
      for (const skipped of [15, 16]) {
        const runs = startBoth(adam({ learningRate: warmup(20, 0.1) }), {
          ...rowSteps,
          ...options,
        });
        const one = { w: sparseGradient(3) };
        for (let i = 0; i < skipped; i += 1)
          runs.guarded.optimizer.step({ w: sparseGradient(i, true) });
        runs.step(one, skipped === 15);
        const error = await rejectionOf(runs.guarded.optimizer);
        expect(error).toEqual(skipped === 15 ? undefined : refused("at least 15 steps"));
        await expectSame(runs);
        runs.step(one);
        await expectSame(runs);
      }
    },
  );
});
