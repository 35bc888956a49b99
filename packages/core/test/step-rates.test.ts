import { describe, expect, test } from "vitest";
import type { Backend, Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { StepOptions } from "../src/optimizer/step/step-options.js";
import { reference } from "../src/reference.js";
import { defineRule } from "../src/rule/define-rule.js";
import { nonNegative } from "../src/rule/hyperparameter.js";
import { adafactor } from "../src/rules/adafactor.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { ftrl } from "../src/rules/ftrl.js";
import { nadam } from "../src/rules/nadam.js";
import { scheduleFreeSgd } from "../src/rules/schedule-free-sgd.js";
import { sgd } from "../src/rules/sgd.js";
import { constant } from "../src/schedules/factories.js";
import { codeOf, numbers } from "./support.js";
import { run } from "./signal-runs.js";

describe("learningRate", () => {
  const spec = adamw({ learningRate: 0.1, weightDecay: 0.2 });

  test("is that of one step, as if it were set", () => {
    const rates = [0.1, 0.03, 0.1, 0.4];
    const expected = run(spec, 4, (optimizer, gradient, step) => {
      optimizer.learningRate = rates[step];
      optimizer.step({ w: gradient });
    });
    const actual = run(spec, 4, (optimizer, gradient, step) => {
      optimizer.step({ w: gradient }, step % 2 === 0 ? {} : { learningRate: rates[step] });
      expect(optimizer.learningRate).toBe(0.1);
    });
    expect(actual).toEqual(expected);
  });

  test("is read from a tensor, with persistent scalars too", () => {
    for (const rule of [adamw, nadam, scheduleFreeSgd, ftrl, adafactor]) {
      const rates = Float32Array.of(0.5, 0.25, 0.125);
      const expected = run(rule({ learningRate: 1 }), 3, (optimizer, gradient, step) => {
        optimizer.learningRate = rates[step];
        optimizer.step({ w: gradient });
      });
      const actual = run(rule({ learningRate: 1 }), 3, (optimizer, gradient, step, backend) => {
        const learningRate = backend.tensor([1], [rates[step]]);
        optimizer.step({ w: gradient }, { learningRate });
      });
      expect(actual).toEqual(expected);
    }
  });

  test("replaces a schedule, and is that of rows that count their steps", () => {
    const options = { sparse: "lazy", rowSteps: true } as const;
    const indices = Uint32Array.of(1, 4);
    const values = numbers(6, 3);
    const take =
      (more: StepOptions) =>
      (optimizer: ReturnType<typeof createOptimizer>): void =>
        optimizer.step({ w: { indices, values } }, more);
    expect(
      run(adam({ learningRate: constant(5) }), 3, take({ learningRate: 0.5 }), options),
    ).toEqual(run(adam({ learningRate: 0.5 }), 3, take({}), options));
  });

  test("leaves groups with a rate or a rule of their own, and is set by name for these", async () => {
    const backend = reference();
    const make = (): Tensor => backend.tensor([1], [0]);
    const parameters = { a: make(), b: make(), c: make(), d: make() };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters, {
      groups: [
        { match: "b", learningRate: 2 },
        { match: "c", rule: sgd({ learningRate: 3 }) },
      ],
    });
    const one = Float32Array.of(1);
    const gradients = { a: one, b: one, c: one, d: one };
    const values = (): number[] => Object.values(parameters).map((tensor) => -tensor.view!()[0]);
    optimizer.step(gradients, { learningRate: 10 });
    expect(values()).toEqual([10, 2, 3, 10]);
    optimizer.step(gradients, { learningRate: { b: 20, c: backend.tensor([1], [30]) } });
    expect(values()).toEqual([11, 22, 33, 11]);
    optimizer.step(gradients, { learningRate: { a: 40, d: 40 } });
    expect(values()).toEqual([51, 24, 36, 51]);
    optimizer.step(gradients);
    expect(values()).toEqual([52, 26, 39, 52]);
    expect(codeOf(() => optimizer.step(gradients, { learningRate: { a: 40 } }))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => optimizer.step(gradients, { learningRate: { a: 40, d: 41 } }))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => optimizer.step({ b: one, c: one }, { learningRate: 4 }))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(codeOf(() => optimizer.step(gradients, { learningRate: { e: 4 } }))).toBe(
      "UNKNOWN_PARAMETER",
    );
    optimizer.step({ a: one }, { learningRate: { a: 5 } });
    expect(values()).toEqual([57, 26, 39, 52]);
  });

  test.each([
    ["a number", (_: Backend, rate: number) => rate],
    ["a tensor", (backend: Backend, rate: number) => backend.tensor([1], [rate])],
  ])("is that of the call that makes the step, for all of its gradients: %s", (_, rateOf) => {
    const backend = reference();
    const make = (): Tensor => backend.tensor([1], [0]);
    const parameters = { a: make(), b: make(), c: make(), late: make() };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters, {
      accumulate: 2,
      groups: [
        { match: "b", learningRate: 3 },
        { match: "late", rule: sgd({ learningRate: 4 }), every: 8 },
      ],
    });
    const two = Float32Array.of(2);
    const values = (): number[] =>
      Object.values(parameters).map((tensor) => Math.abs(tensor.view!()[0]));
    const step = (names: string[], options?: StepOptions): void =>
      optimizer.step(Object.fromEntries(names.map((name) => [name, two])), options);
    const rate = rateOf(backend, 10);
    step(["a"]);
    step(["c"], { learningRate: rate });
    expect(values()).toEqual([10, 0, 10, 0]);
    step(["a"], { learningRate: rate }); // of no step
    step(["a", "b"]);
    expect(values()).toEqual([12, 3, 10, 0]);
    step(["a", "c"]);
    // No gradient of the call is used, and those of the call before have the rate.
    step(["late"], { learningRate: rate });
    expect(values()).toEqual([22, 3, 20, 0]);
    step(["a", "b"]);
    step(["b"], { learningRate: { a: rate, b: rateOf(backend, 20) } });
    expect(values()).toEqual([32, 43, 20, 0]);
    step(["a"]);
    expect(codeOf(() => step(["c"], { learningRate: { c: rate } }))).toBe("UNKNOWN_OPTION");
    step(["b"]);
    expect(values()).toEqual([33, 46, 20, 0]);
  });
});

test("a learning rate of a step counts for groups of which no parameter has a gradient", () => {
  const summing = defineRule({
    name: "summing",
    hyperparameters: { learningRate: nonNegative(1) },
    slots: {},
    persistentScalars: { total: 0 },
    perStep: `
      total = total + learningRate
      sum = total
    `,
    perElement: "u = g * sum",
  });
  const backend = reference();
  const parameters = { a: backend.tensor([1], [0]), b: backend.tensor([1], [0]) };
  const optimizer = createOptimizer(summing(), parameters, {
    groups: [{ match: "b", every: 2 }],
  });
  const one = Float32Array.of(1);
  // The third step has no gradient of a group that takes part in it.
  optimizer.step({ a: one }, { learningRate: 8 });
  optimizer.step({ a: one });
  optimizer.step({ b: one }, { learningRate: { a: 4 } });
  optimizer.step({ a: one, b: one }, { learningRate: { a: 2, b: 16 } });
  expect(parameters.a.view!()[0]).toBe(-(8 + (8 + 1) + (8 + 1 + 4 + 2)));
  expect(parameters.b.view!()[0]).toBe(-(1 + 16));
});
