import { describe, expect, test } from "vitest";
import fixture from "./fixtures/torch-groups.json" with { type: "json" };
import { optimizerByName } from "../src/by-name.js";
import { fromTorch, toTorch } from "../src/interop/index.js";
import { createOptimizer, type OptimizerSpec } from "../src/index.js";
import { oracle } from "../src/reference.js";
import { errorOf } from "./relative-error.js";

const names = ["w", "b"] as const;

/** Trains as PyTorch did, and calls back after each step. */
async function train(
  spec: OptimizerSpec,
  onStep: (got: Record<"w" | "b", ArrayLike<number>>, step: number) => void,
): Promise<void> {
  const backend = oracle();
  const { start, gradients } = fixture;
  const parameters = {
    w: backend.tensor([4], start.w),
    b: backend.tensor([2], start.b),
  };
  const optimizer = createOptimizer(spec, parameters);
  for (const [step, { w, b }] of gradients.entries()) {
    optimizer.step({ w: Float64Array.from(w), b: Float64Array.from(b) });
    onStep({ w: await parameters.w.read(), b: await parameters.b.read() }, step);
  }
}

/** Decimal digits after the point. PyTorch rounds NAdam's product of momenta to f32, but not where this ran, in f64. */
const digitsOf = (name: string): number => (name === "NAdam" ? 8 : 12);

describe("groups of PyTorch that differ in options give its numbers", () => {
  test.each(fixture.cases)("case %#: $name", async ({ name, groups, values }) => {
    const spec = fromTorch(name, groups);
    expect(spec.groups[0].rule?.rule).toBe(spec.rule);
    await train(spec, (got, step) => {
      for (const key of names)
        expect({ step, key, error: errorOf(got[key], values[step][key]) }).toEqual({
          step,
          key,
          error: expect.closeTo(0, digitsOf(name)),
        });
    });
  });

  test.each(fixture.cases)("and go to PyTorch and back, case %#: $name", async (one) => {
    const parameters = { w: oracle().tensor([4]) };
    const made = createOptimizer(fromTorch(one.name, one.groups), {});
    made.add({ ...parameters, b: parameters.w.backend.tensor([2]) });
    const config = made.config();
    const { name, paramGroups } = toTorch(config);
    const known = paramGroups.map((group) => Object.keys(group));
    expect(name).toBe(one.name);
    for (const [i, group] of paramGroups.entries())
      expect(group).toEqual(
        Object.fromEntries(Object.entries(one.groups[i]).filter(([key]) => known[i].includes(key))),
      );
    const again = createOptimizer(optimizerByName(config), {});
    expect(again.config()).toEqual({ ...config, groups: [{ ...config.groups[0], match: [] }] });
  });
});
