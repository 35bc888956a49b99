import { nadam, type Optimizer, type Tensor } from "@gradstep/core";
import { snapshot } from "../../checker/snapshot.js";
import { assertEqual, assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";
import { Random } from "../random/random.js";
import { randomGradient, randomParameter } from "../random/random-values.js";
import { wrappedMask } from "../wrapped-mask.js";

const sizes = { a: 5, b: 3 };

/** `skip` of a step: what a step with the flag leaves as it is, and what it counts. */
export const skipFlagChecks: readonly Check[] = [
  {
    group: "calls and steps",
    name: "skip: a step whose flag is not 0 changes no value, and counts",
    needs: ["layouts", "wrapsArrays"],
    run: skipSteps,
  },
];

/** Another optimizer takes each step that is skipped, and gets its values back. */
async function skipSteps({ target, seed }: Context): Promise<void> {
  const backend = await target.backend();
  const random = Random.of(seed, "skip flags");
  const initial = { a: randomParameter(sizes.a, random), b: randomParameter(sizes.b, random) };
  const start = (): { parameters: Record<"a" | "b", Tensor>; optimizer: Optimizer } => {
    const parameters = {
      a: backend.tensor([sizes.a], initial.a),
      b: backend.tensor([sizes.b], initial.b),
    };
    const groups = [{ match: "b", every: 2 }];
    const optimizer = target.create(nadam({ learningRate: 0.01 }), parameters, { groups });
    return { parameters, optimizer };
  };
  const [skipping, plain] = [start(), start()];
  for (const [i, flag] of [0, 7, 0, 0, 1, 1, 0, 0].entries()) {
    const gradients = { a: randomGradient(sizes.a, random), b: randomGradient(sizes.b, random) };
    skipping.optimizer.step(gradients, { skip: wrappedMask(backend, Uint32Array.of(flag)) });
    const before = await snapshot(plain.optimizer, plain.parameters);
    const { slots } = await plain.optimizer.state();
    plain.optimizer.step(gradients);
    if (flag !== 0) {
      plain.optimizer.restore({ ...(await plain.optimizer.state()), slots });
      for (const name of ["a", "b"] as const) plain.parameters[name].write(before[name].p);
    }
    const where = `nadam, step ${i + 1}, with the flag ${flag}`;
    assertEqual(skipping.optimizer.iterations, i + 1, `iterations, ${where}`);
    assertSameAll(
      await snapshot(skipping.optimizer, skipping.parameters),
      await snapshot(plain.optimizer, plain.parameters),
      where,
    );
  }
  for (const { optimizer } of [skipping, plain]) optimizer.dispose();
}
