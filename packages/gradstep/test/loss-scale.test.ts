import { adamw, sgd } from "gradstep";
import { describe, expect, test } from "vitest";
import { seed } from "../../../testing/cases.js";
import { randomOf } from "./random.js";
import { backends, bitsOf, randomArrays, start } from "./step-control-runs.js";

describe.each(Object.entries(backends))("loss scale on %s", (_, backend) => {
  test.each([1, 3])("gradients are divided by it, with accumulate %d", async (accumulate) => {
    const random = randomOf(seed + 8);
    const initial = randomArrays(random);
    const scaled = start(backend(), adamw(), initial, { lossScale: 1024, accumulate });
    const plain = start(backend(), adamw(), initial, { accumulate });
    expect(scaled.optimizer.lossScale).toBe(1024);
    for (let call = 0; call < 6; call += 1) {
      const gradients = randomArrays(random);
      plain.optimizer.step(gradients);
      scaled.optimizer.step(
        Object.fromEntries(
          Object.entries(gradients).map(([name, values]) => [name, values.map((g) => g * 1024)]),
        ),
      );
      expect(await bitsOf(scaled)).toEqual(await bitsOf(plain));
    }
  });

  test("it doubles after steps in a row, and halves at an overflow", () => {
    const random = randomOf(seed + 9);
    const { optimizer } = start(backend(), sgd(), randomArrays(random), {
      lossScale: { initial: 8, growthInterval: 3 },
    });
    const good = randomArrays(random);
    const bad = { ...good, s: Float32Array.of(Infinity) };
    const scales = [good, good, bad, good, good, good, good, bad, bad, good].map((gradients) => {
      optimizer.step(gradients);
      return optimizer.lossScale;
    });
    // torch.amp.GradScaler(init_scale=8, growth_interval=3) gives the same sequence.
    expect(scales).toEqual([8, 8, 4, 4, 4, 8, 8, 4, 2, 2]);
    expect([optimizer.iterations, optimizer.skippedSteps]).toEqual([7, 3]);
  });
});
