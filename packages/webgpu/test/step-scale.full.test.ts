import {
  adafactor,
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  lamb,
  muon,
  sgd,
  type OptimizerOptions,
  type OptimizerSpec,
  type StepOptions,
} from "@gradstep/core";
import { expect, test } from "vitest";
import { bufferOf, describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";
import {
  arrays,
  start,
  bits,
  bitsOf,
  signalsOn,
  scaledBy,
  steps,
  countingRows,
} from "./signal-runs.js";

describe("scale on the device", () => {
  const specs: Readonly<Record<string, OptimizerSpec>> = {
    adam: adam(),
    "a chain of passes": chain(clipByGlobalNorm({ globalClipNorm: 0.5 }), adamw()),
    muon: muon(),
    adafactor: adafactor(),
    lamb: lamb(),
  };

  test.each(Object.entries(specs))("%s: the bits of scaled gradients", async (_, spec) => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const runs = [0, 1, 2].map(() => start(backend, spec));
    const random = new Random(1);
    const rows = { w: Uint32Array.of(1, 0, 1, 1, 0, 1, 0) };
    const hasMasks = spec.rule.name === "adam";
    for (let step = 0; step < steps; step += 1) {
      // Powers of two, so that every product is exact.
      const scale = 2 ** (step - 3);
      const gradients = arrays(random);
      const masks: StepOptions =
        step % 2 === 0 || !hasMasks ? {} : { rows, unselectedRows: "zero" };
      signals.write(65, scale);
      runs[0].optimizer.step(gradients, { scale: signals.scale, ...masks });
      runs[1].optimizer.step(gradients, { scale, ...masks });
      runs[2].optimizer.step(scaledBy(gradients, scale), masks);
      const [onDevice, onHost, scaled] = await Promise.all(runs.map(bitsOf));
      expect(onDevice).toEqual(scaled);
      expect(onHost).toEqual(scaled);
    }
  });

  test("any scale, within the bound of one product and one difference", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const { optimizer, parameters } = start(backend, sgd({ learningRate: 1 }));
    const random = new Random(2);
    const u = 2 ** -24;
    for (const scale of [0.3, -7.7, 1e-20, 1e20]) {
      const before = await parameters.w.read();
      const gradients = arrays(random);
      signals.write(65, scale);
      optimizer.step(gradients, { scale: signals.scale });
      const after = await parameters.w.read();
      before.forEach((p, i) => {
        const product = gradients.w[i] * Math.fround(scale);
        const expected = p - product;
        // A product, its product with the rate 1, and a difference, each of less than one ulp.
        const bound = 2 * u * (2 * Math.abs(product) + Math.abs(expected)) * (1 + 64 * u);
        expect(Math.abs(after[i] - expected)).toBeLessThanOrEqual(bound);
      });
    }
  });

  test("with accumulate, lossScale and nonFinite", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const options: readonly OptimizerOptions[] = [
      { accumulate: 2 },
      { lossScale: 8, nonFinite: "propagate" },
      { nonFinite: "skip" },
      { lossScale: 8 },
      { accumulate: 2, nonFinite: "skip" },
    ];
    for (const option of options) {
      const runs = [0, 1, 2].map(() => start(backend, adam(), option));
      const random = new Random(3);
      for (let step = 0; step < 6; step += 1) {
        const scale = 2 ** (step - 4);
        const gradients = arrays(random);
        if (step === 2) gradients.b[1] = option.nonFinite === "skip" ? Number.NaN : 3;
        signals.write(65, scale);
        runs[0].optimizer.step(gradients, { scale: signals.scale });
        runs[1].optimizer.step(gradients, { scale });
        runs[2].optimizer.step(scaledBy(gradients, scale));
      }
      const [onDevice, onHost, scaled] = await Promise.all(runs.map(bitsOf));
      expect(onDevice).toEqual(scaled);
      expect(onHost).toEqual(scaled);
      expect(runs.map(({ optimizer }) => optimizer.skippedSteps)).toEqual(
        Array.from({ length: 3 }, () => runs[2].optimizer.skippedSteps),
      );
    }
  });

  test("with laid-out gradients, chain rules, and lists of rows", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    const random = new Random(4);
    const integers = Int32Array.from({ length: 4 * 8 }, () => random.below(2000) - 1000);
    const make = (scale: number) => {
      const buffer = bufferOf(device, integers);
      const gradient = backend.wrap(buffer, {
        shape: [4, 3],
        offset: 2,
        rowStride: 8,
        dtype: "i32",
        scale,
      });
      const w = backend.tensor([4, 3], arrays(new Random(6)).w.subarray(0, 12));
      const activatedGradients = { w: "normalize" } as const;
      return { w, gradient, optimizer: createOptimizer(adam(), { w }, { activatedGradients }) };
    };
    const [one, other] = [make(2 ** -8), make(2 ** -10)];
    signals.write(65, 0.25);
    for (let step = 0; step < 3; step += 1) {
      one.optimizer.step({ w: one.gradient }, { scale: signals.scale });
      other.optimizer.step({ w: other.gradient });
    }
    expect(bits(await one.w.read())).toEqual(bits(await other.w.read()));
    const lists = [0, 1].map(() => start(backend, adam(), countingRows));
    const indices = Uint32Array.of(6, 2, 6);
    const values = arrays(random).w.subarray(0, 15);
    lists[0].optimizer.step({ w: { indices, values } }, { scale: signals.scale });
    lists[1].optimizer.step({ w: { indices, values: values.map((value) => value / 4) } });
    expect(await bitsOf(lists[0])).toEqual(await bitsOf(lists[1]));
  });
});
