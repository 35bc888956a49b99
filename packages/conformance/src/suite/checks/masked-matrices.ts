import { muon } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertSameAll } from "../assertions.js";
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
];

/** An optimizer that takes the second step alone, from the state after the first, has no memory of it. */
async function maskAfterAll({ target, seed }: Context): Promise<void> {
  const random = Random.of(seed, "masked matrices");
  const gradients = [randomGradient(size, random), randomGradient(size, random)];
  const start = async (values: ArrayLike<number>) => {
    const backend = await target.backend();
    const parameters = { w: backend.tensor(shape, values) };
    return { parameters, optimizer: target.create(muon({ learningRate: 0.1 }), parameters) };
  };
  const options = { rows: Uint32Array.of(1, 0, 1, 0) };
  const both = await start(randomParameter(size, random));
  both.optimizer.step({ w: gradients[0] });
  const second = await start(await both.parameters.w.read());
  second.optimizer.restore(await both.optimizer.state());
  for (const { optimizer } of [both, second]) optimizer.step({ w: gradients[1] }, options);
  assertSameAll(
    await snapshot(both.optimizer, both.parameters),
    await snapshot(second.optimizer, second.parameters),
    "muon, step 2, with a mask after a step without",
  );
  for (const { optimizer } of [both, second]) optimizer.dispose();
}
