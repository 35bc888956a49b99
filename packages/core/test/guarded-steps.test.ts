import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import type { Values } from "../src/backend/memory.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import { chain } from "../src/rule/chain.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { nadam } from "../src/rules/nadam.js";
import { scheduleFreeAdamw } from "../src/rules/schedule-free-adamw.js";
import { scheduleFreeSgd } from "../src/rules/schedule-free-sgd.js";
import { sgd } from "../src/rules/sgd.js";
import { warmup } from "../src/schedules/factories.js";
import { clipByGlobalNorm, ema } from "../src/stages/factories.js";
import {
  badGradients,
  contentOf,
  gradientsOf,
  names,
  start,
  startBoth,
  type Arrays,
} from "./guarded-runs.js";
import { guarding } from "./guarding-backend.js";
import type { Target } from "./host-guard.js";

const clipped = chain(clipByGlobalNorm(0.5), adamw({ learningRate: warmup(8, 0.1) }), ema(0.9));
const everyFew = [
  { match: "b", every: 3 },
  { match: "s", every: 2 },
];

const times = ({ w, b, s }: Arrays, factor: number): Arrays => {
  const [first, second, third] = [w, b, s].map((values) => values.map((one) => one * factor));
  return { w: first, b: second, s: third };
};

describe("a device skips steps with gradients that are not finite: they leave no trace", () => {
  const trainings: readonly (readonly [string, OptimizerSpec, OptimizerOptions])[] = [
    ["a schedule", clipped, {}],
    ["a rule of their own", clipped, { groups: [{ match: "b", rule: nadam() }] }],
    ["nadam", nadam({ learningRate: warmup(10, 0.1) }), {}],
    ["schedule-free SGD", scheduleFreeSgd({ learningRate: warmup(10, 0.1) }), {}],
    ["schedule-free AdamW", scheduleFreeAdamw({ learningRate: 0.1 }), {}],
    ["a loss scale", adamw(), { lossScale: 4 }],
    ["several calls", clipped, { accumulate: 3 }],
    ["several calls and a loss scale", nadam(), { accumulate: 2, lossScale: 4 }],
    ["every", clipped, { groups: everyFew }],
    ["every, nadam", nadam(), { groups: everyFew }],
    ["every, a loss scale", adamw(), { groups: everyFew, lossScale: 4 }],
    ["every, several calls", clipped, { groups: everyFew, accumulate: 3 }],
    ["every, calls and a scale", nadam(), { groups: everyFew, accumulate: 2, lossScale: 4 }],
    ["every, two rules", clipped, { groups: [{ match: "b", rule: nadam(), every: 3 }] }],
  ];

  test.each(trainings)("%s", async (_, spec, options) => {
    const { guarded, plain, step } = startBoth(spec, options);
    const { accumulate = 1 } = options;
    let seed = 0;
    const take = (isTaken: boolean): void => {
      seed += 1;
      for (let call = 0; call < accumulate; call += 1) {
        const isBad = !isTaken && call === seed % accumulate;
        step((isBad ? badGradients : gradientsOf)(seed * accumulate + call), isTaken);
      }
    };
    for (let i = 0; i < 24; i += 1) {
      for (let skips = (i * 5) % 3; skips > 0; skips -= 1) take(false);
      take(true);
      if (i % 7 !== 6) continue;
      // Steps are taken while the counts are being read.
      const reading = guarded.optimizer.metrics();
      take(false);
      take(true);
      await reading;
      expect(await contentOf(guarded)).toEqual(await contentOf(plain));
    }
    expect(await contentOf(guarded)).toEqual(await contentOf(plain));
    expect(guarded.optimizer.skippedSteps).toBe(27);
  });

  test("steps that are encoded, and submitted later", async () => {
    const { guarded, plain } = startBoth(clipped, { groups: everyFew });
    const gradients = Object.fromEntries(
      names.map((name) => [name, guarded.optimizer.gradient(name)]),
    ) as Record<keyof Arrays, Tensor>;
    for (let i = 0; i < 12; i += 1) {
      const values = i % 3 === 1 ? badGradients(i) : gradientsOf(i);
      for (const name of names) gradients[name].write(values[name]);
      const target: Target = [];
      for (const learningRate of [0.1, 0.1 / (i + 1)]) {
        guarded.optimizer.learningRate = learningRate;
        guarded.optimizer.encode(target, gradients);
        if (i % 3 === 1) continue;
        plain.optimizer.learningRate = learningRate;
        plain.optimizer.step(values);
      }
      guarded.submit(target);
    }
    expect(await contentOf(guarded)).toEqual(await contentOf(plain));
    expect(guarded.optimizer.skippedSteps).toBe(8);
  });

  test("a loss scale grows and shrinks on the device, and in a state", async () => {
    const options = { lossScale: { initial: 8, growthInterval: 3 } };
    const { guarded } = startBoth(sgd(), {}, options);
    const scales: Promise<Values>[] = [];
    for (const isGood of [1, 1, 0, 1, 1, 1, 1, 0, 0, 1]) {
      guarded.optimizer.step(isGood === 1 ? gradientsOf(1) : badGradients(1));
      scales.push(guarded.optimizer.lossScaleTensor!.read());
    }
    // torch.amp.GradScaler(init_scale=8, growth_interval=3) gives the same sequence.
    expect((await Promise.all(scales)).map(([scale]) => scale)).toEqual([
      8, 8, 4, 4, 4, 8, 8, 4, 2, 2,
    ]);
    expect(guarded.optimizer.lossScale).toBe(8);
    expect(await guarded.optimizer.metrics()).toEqual({
      lossScale: 2,
      skippedSteps: 3,
      consecutiveSkips: 0,
    });
    expect([guarded.optimizer.lossScale, guarded.optimizer.iterations]).toEqual([2, 7]);
    for (let i = 0; i < 2; i += 1) guarded.optimizer.step(badGradients(2));
    const state = structuredClone(await guarded.optimizer.state());
    expect(state.control).toMatchObject({
      skippedSteps: 5,
      consecutiveSkips: 2,
      lossScale: { scale: 0.5, goodSteps: 0 },
    });
    const other = start(guarding(), sgd(), options);
    other.optimizer.restore(state);
    for (const name of names) other.parameters[name].write(await guarded.parameters[name].read());
    for (let i = 0; i < 4; i += 1) {
      const gradients = i === 0 ? badGradients(i) : gradientsOf(i);
      for (const { optimizer } of [guarded, other]) optimizer.step(gradients);
    }
    expect(await contentOf(other)).toEqual(await contentOf(guarded));
    expect([other.optimizer.lossScale, other.optimizer.skippedSteps]).toEqual([0.5, 6]);
  });

  test("the scale by which a gradient is divided is the device's own", async () => {
    const { guarded, plain } = startBoth(nadam(), { groups: everyFew }, { lossScale: "dynamic" });
    let scale = 2 ** 15;
    for (let i = 0; i < 12; i += 1) {
      const isBad = i % 3 === 1;
      guarded.optimizer.step(times(isBad ? badGradients(i) : gradientsOf(i), scale));
      if (isBad) scale /= 2;
      else plain.optimizer.step(gradientsOf(i));
    }
    expect(await contentOf(guarded)).toEqual(await contentOf(plain));
  });

  test("gradients in tensors are cleared if their group takes part in the step", async () => {
    for (const options of [{}, { lossScale: 4 }]) {
      const { guarded, plain } = startBoth(
        adam(),
        { nonFinite: "skip", groups: everyFew, ...options },
        {},
      );
      for (let i = 0; i < 20; i += 1) {
        const values = i % 4 === 1 ? badGradients(i) : gradientsOf(i);
        const left = [guarded, plain].map(({ optimizer }) => {
          const w = values.w.slice();
          const [b, s] = [optimizer.gradient("b"), optimizer.gradient("s")];
          b.write(values.b);
          s.write(values.s);
          optimizer.step({ w, b, s }, { clear: true });
          return Promise.all([Promise.resolve(w), b.read(), s.read()]);
        });
        const [got, expected] = await Promise.all(left);
        expect(got, `step ${i}`).toEqual(expected);
      }
      await guarded.optimizer.metrics();
      expect(guarded.optimizer.iterations).toBe(plain.optimizer.iterations);
    }
  });
});
