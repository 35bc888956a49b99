import { describe, expect, test } from "vitest";
import { adam } from "../src/rules/adam.js";
import { nadam } from "../src/rules/nadam.js";
import { sgd } from "../src/rules/sgd.js";
import { StepScalars, type HyperparameterSource } from "../src/optimizer/step/step-scalars.js";

const subjects = [
  { rule: adam.rule, choices: {} },
  { rule: adam.rule, choices: { amsgrad: true, nesterov: true, epsilonMode: "paper" } },
  { rule: sgd.rule, choices: { momentum: true } },
  { rule: nadam.rule, choices: {} },
];

describe.each(subjects)("$rule.name $choices", ({ rule, choices }) => {
  const variant = rule.variant(choices);

  /** Hyperparameters at their defaults, with this rate. */
  const hyperparameter = (rate: () => number): HyperparameterSource => ({
    get: (name) => (name === "learningRate" ? rate() : rule.hyperparameters[name].default),
    isScheduled: false,
  });

  /** The scalars of one step, computed by themselves. */
  function alone(t: number, rate: number, persistentScalars: Record<string, number>): number[] {
    const scalars = new StepScalars(
      variant,
      hyperparameter(() => rate),
      { iterations: 0, changes: 0, callsPerStep: 1 },
    );
    scalars.persistentScalars = persistentScalars;
    scalars.compute(t);
    return [...scalars.values];
  }

  test("are those of their step, whatever was computed ahead, set or skipped", () => {
    let rate = 0.5;
    const clock = { iterations: 0, changes: 0, callsPerStep: 1 };
    const scalars = new StepScalars(
      variant,
      hyperparameter(() => rate),
      clock,
    );
    // In a row, from far behind, back again.
    const steps = [...Array(70).keys(), 1000, 1001, 3, 4, 5, 6, 7, 8, 9].map((t) => t + 1);
    for (const [i, t] of steps.entries()) {
      if (i % 11 === 7 || (i > 20 && i < 30)) {
        rate /= 2;
        clock.changes += 1;
      }
      scalars.compute(t);
      expect([...scalars.values]).toEqual(alone(t, rate, scalars.persistentScalars));
      // A step that fails computes, and hands nothing on.
      if (i % 5 !== 0) scalars.commit();
    }
  });
});
