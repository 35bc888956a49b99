import { defineRule, muon, nonNegative } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertNear, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import { randomGradient, randomParameter } from "../random/random-values.js";

const shape = [4, 3] as const;
const size = 12;

/** Rows that a mask leaves out have no part in products of matrices, whatever they had in the step before. */
export const maskedMatrixChecks: readonly Check[] = [
  {
    group: "rows",
    name: "a product of matrices has nothing of rows that were part of the step before",
    needs: ["rows", "reductions", "matrixProducts"],
    run: maskAfterAll,
  },
  {
    group: "rows",
    name: "a mean per column of a batch of matrices has all rows of each matrix that takes part",
    needs: ["rows", "reductions"],
    run: meansOfBatches,
  },
];

/**
 * An optimizer that takes the second step alone, from the state after the first, has no memory of it. The first of its
 * tensors has no mask.
 */
async function maskAfterAll({ target, seed }: Context): Promise<void> {
  const random = Random.of(seed, "masked matrices");
  const gradients = (): Record<"v" | "w", Float32Array> => ({
    v: randomGradient(size, random),
    w: randomGradient(size, random),
  });
  const start = async (v: ArrayLike<number>, w: ArrayLike<number>) => {
    const backend = await target.backend();
    const parameters = { v: backend.tensor(shape, v), w: backend.tensor(shape, w) };
    return { parameters, optimizer: target.create(muon({ learningRate: 0.1 }), parameters) };
  };
  const both = await start(randomParameter(size, random), randomParameter(size, random));
  both.optimizer.step(gradients());
  const { v, w } = both.parameters;
  const second = await start(await v.read(), await w.read());
  second.optimizer.restore(await both.optimizer.state());
  const [last, options] = [gradients(), { rows: { w: Uint32Array.of(1, 0, 1, 0) } }];
  for (const { optimizer } of [both, second]) optimizer.step(last, options);
  assertSameAll(
    await snapshot(both.optimizer, both.parameters),
    await snapshot(second.optimizer, second.parameters),
    "muon, step 2, with a mask after a step without",
  );
  for (const { optimizer } of [both, second]) optimizer.dispose();
}

/** Each column of a matrix decreases by its mean, an integer. */
async function meansOfBatches({ target }: Context): Promise<void> {
  const rule = defineRule({
    name: "column-means",
    hyperparameters: { learningRate: nonNegative(1) },
    matrices: "last",
    perElement: "u = meanColumn(g) * learningRate",
  });
  const backend = await target.backend();
  const parameters = { one: backend.tensor([1, 2, 2]), two: backend.tensor([2, 2, 2]) };
  const isExact = backend.exact === true;
  const optimizer = target.create(rule(), parameters);
  const one = Float32Array.of(1, 2, 3, 4);
  const two = Float32Array.of(2, 4, 6, 8, 10, 20, 30, 40);
  const steps = [
    { rows: [0, 1], expected: [0, 0, 0, 0, -20, -30, -20, -30] },
    { rows: [1, 0], expected: [-4, -6, -4, -6, -20, -30, -20, -30] },
  ];
  for (const [i, { rows, expected }] of steps.entries()) {
    optimizer.step({ one, two }, { rows: { one: Uint32Array.of(1), two: Uint32Array.from(rows) } });
    const what = `column-means, step ${i + 1}, with a mask of matrices`;
    assertNear(await parameters.two.read(), expected, isExact, what, 'p of "two"');
    const means = [-2, -3, -2, -3].map((mean) => mean * (i + 1));
    assertNear(await parameters.one.read(), means, isExact, what, 'p of "one"');
  }
  optimizer.dispose();
}
