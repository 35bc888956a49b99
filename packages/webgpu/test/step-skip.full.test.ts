import { adam, adamw, chain, clipByGlobalNorm, createOptimizer, muon, sgd } from "@gradstep/core";
import { isDeepStrictEqual } from "node:util";
import { expect, test } from "vitest";
import { bufferOf, describe, newBackend, sharedDevice, wordsOf } from "./gpu.js";
import { Random } from "./random.js";
import { shapes, names, arrays, start, bitsOf, signalsOn } from "./signal-runs.js";

describe("skip on the device", () => {
  test("changes nothing if it is not 0, and counts as a step", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    for (const spec of [adam(), chain(clipByGlobalNorm(), adamw()), muon()]) {
      const run = start(backend, spec);
      // Without the gradients of skipped steps, but with their number.
      const other = start(backend, spec);
      const random = new Random(7);
      for (let step = 0; step < 6; step += 1) {
        const isSkipped = step === 1 || step === 4;
        const gradients = arrays(random);
        const before = await bitsOf(run);
        signals.write(66, isSkipped ? 2 ** 31 : 0, true);
        const encoder = device.createCommandEncoder();
        const tensors = Object.fromEntries(
          names.map((name) => [name, backend.tensor(shapes[name], gradients[name])]),
        );
        run.optimizer.encode(encoder, tensors, { skip: signals.skip });
        device.queue.submit([encoder.finish()]);
        expect(run.optimizer.iterations).toBe(step + 1);
        const isUnchanged = isDeepStrictEqual(await bitsOf(run), before);
        expect(isUnchanged).toBe(isSkipped);
        if (isSkipped) {
          const state = await other.optimizer.state();
          other.optimizer.restore({
            ...state,
            iterations: state.iterations + 1,
            groups: state.groups.map((group) => ({ ...group, iterations: step + 1 })),
          });
        } else other.optimizer.step(gradients);
      }
      expect(await bitsOf(run)).toEqual(await bitsOf(other));
    }
  });

  test("with clear, gradients are cleared in any case", async () => {
    const device = await sharedDevice();
    const backend = await newBackend();
    const signals = signalsOn(device, backend);
    for (const dtype of ["f32", "i32", "f16"] as const) {
      const buffer = bufferOf(device, new Uint32Array(64).fill(0x0001_0001));
      const gradient = backend.wrap(buffer, { shape: [4, 3], offset: 1, rowStride: 5, dtype });
      const w = backend.tensor([4, 3], arrays(new Random(6)).w.subarray(0, 12));
      const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
      const before = await w.read();
      signals.write(66, 1, true);
      optimizer.step({ w: gradient }, { skip: signals.skip, clear: true });
      expect(await w.read()).toEqual(before);
      const words = await wordsOf(device, buffer);
      const halves = new Uint16Array(words.buffer);
      const unit = dtype === "f16" ? 1 : 2;
      const expected = new Uint16Array(128).fill(1);
      for (let row = 0; row < 4; row += 1)
        for (let k = 0; k < 3 * unit; k += 1) expected[(1 + 5 * row) * unit + k] = 0;
      expect(halves).toEqual(expected);
    }
  });

  test("gradients that a guard refuses are cleared, too", async () => {
    const backend = await newBackend();
    const w = backend.tensor([2], [1, 2]);
    for (const options of [{ nonFinite: "skip" }, { lossScale: 2 }] as const) {
      const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, options);
      const gradient = backend.tensor([2], [Infinity, 1]);
      optimizer.step({ w: gradient }, { clear: true });
      expect([...(await gradient.read())]).toEqual([0, 0]);
      expect([...(await w.read())]).toEqual([1, 2]);
      optimizer.dispose();
    }
  });
});
