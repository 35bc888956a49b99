import {
  adafactor,
  adamw,
  chain,
  clipByGlobalNorm,
  ftrl,
  scheduleFreeAdamw,
  scheduleFreeSgd,
  sgd,
} from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { expect, test } from "vitest";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";
import { arrays, start, bitsOf, signalsOn } from "./signal-runs.js";

describe("learningRate on the device", () => {
  // Powers of two, with which the products of the device are exact.
  const rates = [0.5, 0.125, 0.25, 1];
  const refused = [adafactor, ftrl, scheduleFreeAdamw, scheduleFreeSgd].map(({ rule }) => rule);
  const taken = rules.filter((rule) => !refused.includes(rule));

  test.each(taken.map((rule) => [rule.name, rule] as const))("%s", async (_, rule) => {
    const decays = Object.hasOwn(rule.hyperparameters, "weightDecay");
    const spec = rule.specify(decays ? { weightDecay: 0.25 } : {});
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const onDevice = start(backend, spec);
    const onHost = start(backend, spec);
    const random = new Random(8);
    for (const rate of rates) {
      const gradients = arrays(random);
      signals.write(67, rate);
      onDevice.optimizer.step(gradients, { learningRate: signals.rate });
      onHost.optimizer.step(gradients, { learningRate: rate });
      expect(await bitsOf(onDevice)).toEqual(await bitsOf(onHost));
    }
  });

  test("by the names of parameters, with a rate for each group", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const groups = [
      { match: "b", learningRate: 7 },
      { match: "s", learningRate: 5 },
    ];
    const onDevice = start(backend, adamw(), { groups });
    const onHost = start(backend, adamw(), { groups });
    const random = new Random(9);
    for (const rate of rates) {
      const gradients = arrays(random);
      signals.write(67, rate);
      signals.write(3, rate / 4);
      signals.write(65, 0.5);
      onDevice.optimizer.step(gradients, {
        scale: signals.scale,
        learningRate: { b: signals.rate, s: signals.otherRate },
      });
      onHost.optimizer.step(gradients, { scale: 0.5, learningRate: { b: rate, s: rate / 4 } });
      // Other groups without any signal.
      onDevice.optimizer.step(gradients, { learningRate: { b: signals.rate } });
      onHost.optimizer.step(gradients, { learningRate: { b: rate } });
    }
    expect(await bitsOf(onDevice)).toEqual(await bitsOf(onHost));
  });

  test("of several rules, with a norm over the tensors of both, and one on its own", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const spec = chain(clipByGlobalNorm({ globalClipNorm: 0.5 }), adamw());
    const groups = [
      { match: "b", rule: chain(clipByGlobalNorm({ globalClipNorm: 0.25 }), sgd()) },
      { match: "s", rule: sgd({ momentum: 0.5 }) },
    ];
    const [onDevice, onHost] = [start(backend, spec, { groups }), start(backend, spec, { groups })];
    const random = new Random(17);
    signals.write(65, 0.5);
    for (const rate of rates) {
      const gradients = arrays(random);
      signals.write(67, rate);
      signals.write(66, 0, true);
      const { scale, skip } = signals;
      onDevice.optimizer.step(gradients, { scale, skip, learningRate: { b: signals.rate } });
      onHost.optimizer.step(gradients, { scale: 0.5, learningRate: { b: rate } });
      const expected = await bitsOf(onHost);
      expect(await bitsOf(onDevice)).toEqual(expected);
    }
    const before = await bitsOf(onDevice);
    signals.write(66, 1, true);
    onDevice.optimizer.step(arrays(random), { skip: signals.skip, learningRate: signals.rate });
    expect(await bitsOf(onDevice)).toEqual(before);
  });

  test("any rate, within the bound of the scalars", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const weightDecay = 0.3;
    const { optimizer, parameters } = start(backend, sgd({ weightDecay }));
    const random = new Random(10);
    const u = 2 ** -24;
    for (const rate of [0.3, 1e-3, 0.77]) {
      const before = await parameters.w.read();
      const gradients = arrays(random);
      signals.write(67, rate);
      optimizer.step(gradients, { learningRate: signals.rate });
      const after = await parameters.w.read();
      const r = Math.fround(rate);
      before.forEach((p, i) => {
        const decayed = p * (1 - r * weightDecay);
        const update = gradients.w[i] * r;
        const expected = decayed - update;
        // 1 − rate · decay: the slope, a product and a sum; the rate: a product; then two products and a difference.
        const decayError = 3 * u * r * weightDecay + 2 * u * (1 - r * weightDecay);
        const bound =
          Math.abs(p) * decayError +
          2 * u * Math.abs(decayed) +
          4 * u * Math.abs(update) +
          2 * u * Math.abs(expected);
        expect(Math.abs(after[i] - expected)).toBeLessThanOrEqual(bound * (1 + 64 * u));
      });
    }
  });
});
