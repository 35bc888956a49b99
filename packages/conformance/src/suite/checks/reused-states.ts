import { adam } from "@gradstep/core";
import { assertSameAll } from "../assertions.js";
import type { Check, Context } from "../check.js";

/** `state({ reuse })` may write into the arrays of an earlier state. */
export const reusedStateChecks: readonly Check[] = [
  {
    group: "state",
    name: "a state in the arrays of an earlier one has the values of now",
    run: reuse,
  },
];

async function reuse({ target }: Context): Promise<void> {
  const backend = await target.backend();
  const parameters = { a: backend.tensor([3]), b: backend.tensor([3]) };
  const optimizer = target.create(adam({ learningRate: 0.5 }), parameters);
  const gradients = { a: Float32Array.of(1, 2, 3), b: Float32Array.of(4, 5, 6) };
  optimizer.step(gradients);
  const { slots: earlier, ...rest } = await optimizer.state();
  optimizer.step(gradients);
  const { slots } = await optimizer.state({ reuse: { ...rest, slots: earlier } });
  const { slots: expected } = await optimizer.state();
  assertSameAll(slots, expected, "adam, step 2, a state in the arrays of an earlier one");
  optimizer.dispose();
}
