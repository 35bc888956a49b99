import { createOptimizer, GradstepError, rmsprop, type OptimizerSpec } from "@gradstep/core";
import { fromKeras, fromTfjs, fromTorch } from "@gradstep/core/interop";
import { oracle } from "@gradstep/core/reference";
import { describe, expect, test } from "vitest";
import { flat, gradientOf, publishedCases, type PublishedCase } from "./published-case.js";

/** The optimizer of a case, or undefined for rules that are not here. */
function specOf(library: string, one: PublishedCase): OptimizerSpec | undefined {
  const h = one.hyperparameters as Readonly<Record<string, number>> & { decoupled?: boolean };
  if (one.id.startsWith("dfdx.rmsprop")) {
    return rmsprop({
      learningRate: h.learning_rate,
      rho: h.rho,
      momentum: h.momentum,
      epsilon: h.epsilon,
      centered: Boolean(h.centered),
      weightDecay: h.weight_decay ?? 0,
      weightDecayMode: h.decoupled === true ? "decoupled" : "l2",
    });
  }
  try {
    if (library === "keras") return fromKeras({ class_name: one.optimizer, config: h });
    if (library === "tfjs") {
      const names = {
        learning_rate: "learningRate",
        beta_1: "beta1",
        beta_2: "beta2",
        rho: "decay",
      };
      const options = Object.entries(h).map(([key, value]) => [
        (names as Readonly<Record<string, string>>)[key] ?? key,
        value,
      ]);
      return fromTfjs(one.optimizer.toLowerCase(), Object.fromEntries(options));
    }
    return fromTorch(one.optimizer, {
      lr: h.learning_rate,
      betas: [h.beta_1, h.beta_2],
      eps: h.epsilon,
      weight_decay: h.weight_decay ?? 0,
      amsgrad: Boolean(h.amsgrad),
    });
  } catch (error) {
    if (error instanceof GradstepError && error.code === "UNSUPPORTED") return undefined;
    throw error;
  }
}

/** The worst excess of an error over the case's own tolerance; at most 0 where it passes. */
async function excess(spec: OptimizerSpec, one: PublishedCase): Promise<number> {
  const { rtol = 0, atol = 0, rounding } = one.tolerance;
  const least = rounding === undefined ? atol : 0.5001 * 10 ** -rounding;
  const start = flat(one.params0);
  const p = oracle().tensor([start.length], start);
  const optimizer = createOptimizer(spec, { p });
  const first = one.hyperparameters.initial_square_avg;
  if (first !== undefined) {
    const state = await optimizer.state();
    const v = new Float64Array(start.length).fill(Number(first));
    optimizer.restore({ ...state, slots: { p: { ...state.slots.p, v } } });
  }
  let worst = -Infinity;
  const compare = (
    got: readonly number[],
    expected: readonly number[] | null | undefined,
  ): void => {
    expected?.forEach((value, i) => {
      worst = Math.max(worst, Math.abs(got[i] - value) - least - rtol * Math.abs(value));
    });
  };
  const at = Object.entries(one.expected_at ?? {});
  const costs = one.expected_cost_before_step ?? [];
  const steps =
    one.steps ??
    one.expected?.length ??
    Math.max(costs.length, ...at.map(([step]) => Number(step)));
  let values = start;
  for (let step = 1; step <= steps; step += 1) {
    const cost = values.reduce((sum, value) => sum + value * value, 0);
    if (costs[step - 1] !== undefined) compare([cost], [costs[step - 1]]);
    optimizer.step({ p: Float64Array.from(gradientOf(one, values, step)) });
    values = [...(await p.read())];
    compare(values, one.expected?.[step - 1]);
    compare(values, one.expected_at?.[String(step)]);
  }
  if (one.expected_final !== undefined) compare(values, flat(one.expected_final));
  return worst;
}

describe.each([
  { library: "keras", supported: 30 },
  { library: "dfdx", supported: 11 },
  { library: "candle", supported: 1 },
  { library: "burn", supported: 4 },
  { library: "libtorch", supported: 3 },
  { library: "tfjs", supported: 5 },
])("numbers in the tests of $library", ({ library, supported }) => {
  const cases = publishedCases(library).flatMap((one) => {
    const spec = specOf(library, one);
    return spec === undefined ? [] : [{ id: one.id, spec, one }];
  });

  test.each(cases)("$id", async ({ spec, one }) => {
    expect(await excess(spec, one)).toBeLessThanOrEqual(0);
  });

  test("none of a supported rule is left out", () => {
    expect(cases.length).toBe(supported);
  });
});
