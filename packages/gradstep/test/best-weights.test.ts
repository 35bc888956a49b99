import { expect, test } from "vitest";
import { adam, cpuJs, createOptimizer, earlyStopping, wasm, type Backend } from "../src/index.js";

test.each<[string, () => Backend]>([
  ["cpu-js", cpuJs],
  ["wasm", () => wasm()],
])("%s: the best weights are put back, and training goes on from them", async (_, backendOf) => {
  const run = async (losses: readonly number[]): Promise<unknown> => {
    const backend = backendOf();
    const w = backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
    const b = backend.tensor([2], [1, -1]);
    const optimizer = createOptimizer(adam({ learningRate: 0.1 }), { w, b });
    const stopping = earlyStopping({ patience: 2, parameters: { w, b } });
    let kept: unknown;
    for (const loss of losses) {
      optimizer.step({ w: new Float32Array(6).fill(loss), b: Float32Array.of(loss, -loss) });
      const isBest = stopping.best === null || loss < stopping.best;
      if (isBest) kept = [await w.read(), await b.read()];
      if (stopping.update(loss)) break;
    }
    expect([await w.read(), await b.read()]).not.toEqual(kept);
    stopping.restoreBestWeights();
    const restored = [await w.read(), await b.read()];
    stopping.dispose();
    backend.dispose?.();
    return { kept, restored };
  };
  const { kept, restored } = (await run([3, 2, 2.5, 2.25])) as Record<string, unknown>;
  expect(restored).toEqual(kept);
});
