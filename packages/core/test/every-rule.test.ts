import { describe, expect, test } from "vitest";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle } from "../src/reference.js";
import * as factories from "../src/rules/factories.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { gradients, near, run, start } from "./one-value.js";

const everyRule = Object.entries(factories).filter(([name]) => name !== "ftrl");

/** The updates of the others depend on the parameter. */
const independent = everyRule.filter(
  ([name]) => !/^(adafactor|lamb|lars|prodigy|scheduleFree)/.test(name),
);

test.each(independent)(
  "%s: decoupled decay shrinks the parameter by lr·wd before the update",
  (_, factory) => {
    const rule = factory as (settings: Readonly<Record<string, unknown>>) => OptimizerSpec;
    const settings = { learningRate: 0.1, weightDecay: 0 };
    const plain = run(rule(settings));
    const decayed = run(rule({ ...settings, weightDecay: 0.2 }));
    // The gradients do not depend on the parameter: each step shrinks what was there and then moves as without decay.
    let p = start;
    const wanted = plain.map((value, i) => {
      p = p * (1 - 0.1 * 0.2) + (value - (plain[i - 1] ?? start));
      return p;
    });
    expect(decayed).toEqual(near(wanted));
  },
);

describe.each(everyRule)("%s, as every rule", (_, factory) => {
  const rule = factory as (settings: Readonly<Record<string, unknown>>) => OptimizerSpec;
  const settings = { learningRate: 0.1, weightDecay: 0 };

  test("l2 decay adds wd·p to the gradient", () => {
    const values = Float64Array.of(start);
    const optimizer = createOptimizer(rule(settings), { w: oracle().wrap(values) });
    const wanted = gradients.map((gradient) => {
      optimizer.step({ w: Float64Array.of(gradient + 0.2 * values[0]) });
      return values[0];
    });
    const got = run(rule({ ...settings, weightDecay: 0.2, weightDecayMode: "l2" }));
    expect(got).toEqual(near(wanted));
  });

  test("maximize negates the gradients", () => {
    const negated = gradients.map((gradient) => -gradient);
    expect(run(rule({ ...settings, maximize: true }))).toEqual(run(rule(settings), negated));
  });

  test("a rate of 0 moves nothing", () => {
    expect(run(rule({ learningRate: 0 }))).toEqual([start, start, start]);
  });
});
