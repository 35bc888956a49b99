import { adam, chain, createOptimizer, earlyStopping, ema } from "@gradstep/core";
import { expect, test } from "vitest";
import { describe, newBackend } from "./gpu.js";

describe("tensors that the backend has allocated", () => {
  test("are exchanged with their average, and back", async () => {
    const backend = await newBackend();
    const w = backend.tensor([5], [1, 2, 3, 4, 5]);
    const optimizer = createOptimizer(chain(adam({ learningRate: 0.1 }), ema(0.5)), { w });
    for (const g of [1, 2]) optimizer.step({ w: new Float32Array(5).fill(g) });
    const trained = await w.read();
    const { ema: average } = (await optimizer.state()).slots.w;
    optimizer.swap();
    expect(await w.read()).toEqual(average);
    optimizer.swap();
    expect(await w.read()).toEqual(trained);
  });

  test("have best weights, which are put back", async () => {
    const backend = await newBackend();
    const w = backend.tensor([5], [1, 2, 3, 4, 5]);
    const optimizer = createOptimizer(adam({ learningRate: 0.1 }), { w });
    const stopping = earlyStopping({ patience: 1, parameters: { w } });
    const values: unknown[] = [];
    for (const loss of [3, 1, 2]) {
      optimizer.step({ w: new Float32Array(5).fill(loss) });
      stopping.update(loss);
      values.push(await w.read());
    }
    stopping.restoreBestWeights();
    expect(await w.read()).toEqual(values[1]);
    expect((await stopping.state()).bestWeights).toEqual({ w: values[1] });
  });
});
