// More steps in one encoder than the first buffer of scalars has room for, whoever prepares the scalars.
import { adamw, type OptimizerOptions } from "@gradstep/core";
import { expect, test } from "vitest";
import { describe, newBackend, sharedDevice } from "./gpu.js";
import { Random } from "./random.js";
import { arrays, bitsOf, names, shapes, signalsOn, start } from "./signal-runs.js";

describe("forty steps in one encoder", () => {
  test.each<[string, OptimizerOptions, boolean]>([
    ["learningRate on the device", {}, true],
    ["nonFinite: skip", { nonFinite: "skip" }, false],
  ])("%s", async (_, options, hasRate) => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    signals.write(67, 0.125);

    const [encoded, plain] = [start(backend, adamw(), options), start(backend, adamw(), options)];
    const values = arrays(new Random(3));
    const gradients = Object.fromEntries(
      names.map((name) => [name, backend.tensor(shapes[name], values[name])]),
    );
    const encoder = device.createCommandEncoder();
    for (let step = 0; step < 40; step += 1) {
      const stepOptions = hasRate
        ? { learningRate: signals.rate }
        : { scale: 1 / (2 + (step % 5)) };
      encoded.optimizer.encode(encoder, gradients, stepOptions);
      plain.optimizer.step(gradients, stepOptions);
    }
    device.queue.submit([encoder.finish()]);
    expect(await bitsOf(encoded)).toEqual(await bitsOf(plain));
  });
});
