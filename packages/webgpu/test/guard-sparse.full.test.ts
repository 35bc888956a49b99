import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  warmup,
  type Optimizer,
  type OptimizerSpec,
  type Tensor,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { countingDevice } from "./counting-device.js";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { arrays, bitsOf, start, type Run } from "./guarded-runs.js";
import { Random } from "./random.js";

const shape = [5, 4];

/** A sparse gradient of `w`, with duplicates, and a value that is not finite if wanted. */
function sparse(random: Random, isBad: boolean) {
  const indices = Uint32Array.from({ length: 1 + random.below(6) }, () => random.below(5));
  const values = random.values(4 * indices.length);
  if (isBad) values[random.below(values.length)] = [Number.NaN, -Infinity][random.below(2)];
  return { indices, values };
}

const rules: readonly (readonly [string, OptimizerSpec])[] = [
  ["adamw", adamw({ learningRate: warmup(5, 0.1) })],
  ["clipped adam", chain(clipByGlobalNorm(0.5), adam({ learningRate: 0.1 }))],
];

describe("sparse gradients that are not finite", () => {
  for (const mode of ["lazy", "dense"] as const)
    test.each(rules)(`${mode}: the step is skipped; %s`, async (_, rule) => {
      const random = new Random(seed + 40);
      const backend = await newBackend();
      const initial = arrays(random);
      const skipping = start(backend, rule, initial, { sparse: mode, nonFinite: "skip" });
      const plain = start(backend, rule, initial, { sparse: mode });
      const onHost = start(reference(), rule, initial, { sparse: mode, nonFinite: "skip" });
      for (let i = 0; i < 24; i += 1) {
        const isBad = i % 3 === 1;
        const { b, s } = arrays(random);
        const gradients = { w: sparse(random, isBad), b, s };
        skipping.optimizer.step(gradients);
        onHost.optimizer.step(gradients);
        if (!isBad) plain.optimizer.step(gradients);
      }
      expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
      expect(skipping.optimizer.skippedSteps).toBe(onHost.optimizer.skippedSteps);
    });

  test("rows and values in tensors: the step is skipped, encoded ones too, and nothing is created", async () => {
    const random = new Random(seed + 41);
    const { device, counts } = countingDevice(await sharedDevice());
    const backend = webgpu({ device });
    const make = (nonFinite: "skip" | "propagate"): Run => {
      const parameters: Record<string, Tensor> = {
        w: backend.tensor(shape, new Random(1).values(20)),
      };
      const optimizer: Optimizer = createOptimizer<OptimizerSpec>(adam(), parameters, {
        sparse: "lazy",
        nonFinite,
      });
      return { optimizer, parameters };
    };
    const skipping = make("skip");
    const plain = make("propagate");
    const words = device.createBuffer({ size: 12, usage: 0x80 | 0x8 });
    const indices = backend.wrap(words, { shape: [3], dtype: "u32" });
    const values = backend.tensor([3, 4]);
    const created = (): Record<string, number> =>
      Object.fromEntries(
        Object.entries(counts).filter(([key]) => /^create(?!CommandEncoder)|mapAsync/.test(key)),
      );
    for (const isEncoded of [false, true]) {
      let warm = {};
      for (let i = 0; i < 6; i += 1) {
        const isBad = i % 3 === 1;
        indices.write(Uint32Array.from({ length: 3 }, () => random.below(5)));
        const one = random.values(12);
        if (isBad) one[random.below(12)] = Infinity;
        values.write(one);
        const w = { indices, values };
        if (isEncoded) {
          const encoder = device.createCommandEncoder();
          skipping.optimizer.encode(encoder, { w });
          device.queue.submit([encoder.finish()]);
        } else skipping.optimizer.step({ w });
        if (!isBad) plain.optimizer.step({ w });
        if (i === 0) warm = created();
      }
      expect(created()).toEqual(warm);
    }
    expect(await bitsOf(skipping)).toEqual(await bitsOf(plain));
    expect(skipping.optimizer.skippedSteps).toBe(4);
    backend.dispose();
  });
});
