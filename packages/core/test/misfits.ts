import { expect } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { anything, failureOf, numbers } from "./support.js";

type Shapes = Readonly<Record<string, readonly number[]>>;

export const ratedAdam: OptimizerSpec = adam({ learningRate: 0.1 });

/** An optimizer after some steps; `seed` is of the gradients. */
export function trained(
  shapes: Shapes,
  { steps = 3, seed = 1, spec = ratedAdam, options = {} } = {},
): Optimizer {
  const backend = reference();
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]),
  );
  const optimizer = createOptimizer(spec, tensors, options) as unknown as Optimizer;
  for (let i = 0; i < steps; i += 1)
    optimizer.step(
      Object.fromEntries(
        Object.entries(tensors).map(([name, { size }], k) => [
          name,
          numbers(size, 100 * seed + 10 * k + i),
        ]),
      ),
    );
  return optimizer;
}

export const shapes = { w: [2, 3], b: [3] };

/** The misfits of a state, which must be the same with and without `partial`. */
export async function misfitsOf(optimizer: Optimizer, state: unknown): Promise<string[]> {
  const before = await optimizer.state();
  const error = failureOf(() => optimizer.restore(anything(state)));
  expect(error.code).toBe("STATE_MISMATCH");
  expect(await optimizer.state()).toEqual(before);
  const { misfits = [] } = error;
  for (const { message } of misfits.slice(0, 20)) expect(error.message).toContain(message);
  expect(optimizer.restore(anything(state), { partial: true })).toEqual(misfits);
  return misfits.map(({ kind, path }) => `${kind} ${path}`);
}
