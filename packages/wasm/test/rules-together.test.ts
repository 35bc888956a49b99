import { adam, chain, clipByGlobalNorm, createOptimizer, sgd, type Backend } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { wasm } from "../src/index.js";

test("rules that share a global norm run together", async () => {
  const run = async (backend: Backend): Promise<unknown[]> => {
    const values = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i + 1));
    const [a, b, c] = [
      backend.tensor([5, 6], values),
      backend.tensor([30], values),
      backend.tensor([3], [1, 2, 3]),
    ];
    const optimizer = createOptimizer(
      chain(clipByGlobalNorm(1), adam({ learningRate: 0.1 })),
      { a, b, c },
      {
        groups: [
          { match: "b", rule: chain(clipByGlobalNorm(0.5), sgd({ learningRate: 0.1 })) },
          // The same variant as the first rule.
          { match: "c", rule: chain(clipByGlobalNorm(2), adam({ learningRate: 0.2 })) },
        ],
      },
    );
    for (let step = 0; step < 3; step += 1)
      optimizer.step({ a: values, b: values, c: Float32Array.of(0.5, -1, step) });
    return [await a.read(), await b.read(), await c.read(), await optimizer.metrics()];
  };
  expect(await run(wasm())).toEqual(await run(reference()));
});
