import { expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { oracle } from "../src/reference.js";
import { rules } from "../src/rules/index.js";

const gradients = [0.3, -0.2, 0.5];
const weightDecay = 0.25;

/** The parameter after each step; a gradient may depend on the parameter. */
function run(
  name: string,
  settings: Readonly<Record<string, unknown>>,
  gradientAt: (gradient: number, p: number) => number = (gradient) => gradient,
): number[] {
  const values = Float64Array.of(0.7);
  const spec = optimizerByName(name, { learningRate: 0.1, ...settings });
  const optimizer = createOptimizer(spec, { w: oracle().wrap(values) });
  return gradients.map((gradient) => {
    optimizer.step({ w: Float64Array.of(gradientAt(gradient, values[0])) });
    return values[0];
  });
}

/** Matches these numbers up to the rounding of f64. */
const near = (values: readonly number[]): unknown[] =>
  values.map((value): unknown => expect.closeTo(value, 13));

test.each(rules)("$name maximizes, and decay still shrinks", ({ name, options }) => {
  // Of the negated gradient: both kinds of decay pull towards 0 in any direction.
  expect(run(name, { maximize: true, weightDecay, weightDecayMode: "l2" })).toEqual(
    near(run(name, { weightDecay: 0 }, (gradient, p) => -gradient + weightDecay * p)),
  );
  for (const weightDecayMode of options.weightDecayMode.filter((mode) => mode !== "l2")) {
    expect(run(name, { maximize: true, weightDecay, weightDecayMode })).toEqual(
      near(run(name, { weightDecay, weightDecayMode }, (gradient) => -gradient)),
    );
  }
});
