import { describe, expect, test } from "vitest";
import { adam, createOptimizer, type Optimizer } from "../src/index.js";
import { reference } from "../src/reference.js";
import { failureOf } from "./support.js";

const backend = reference();
const ones = Float32Array.of(1, 1);

/** An optimizer that has taken a step. */
function trained(): { optimizer: Optimizer; w: ReturnType<typeof backend.tensor> } {
  const w = backend.tensor([2], [1, 2]);
  const optimizer: Optimizer = createOptimizer(adam(), { w });
  optimizer.step({ w: ones });
  return { optimizer, w };
}

/** JavaScript permits what these types do not. */
const untyped = (value: unknown): never => value as never;

describe("a promise in place of options is refused, as a Map is", () => {
  test.each<[string, (options: never) => unknown]>([
    ["of a rule", (options) => adam(options)],
    ["of an optimizer", (options) => createOptimizer(adam(), { w: backend.tensor([1]) }, options)],
    ["of a tensor", (options) => backend.wrap(new Float32Array(2), options)],
    ["of a step", (options) => trained().optimizer.step({ w: ones }, options)],
  ])("%s", (_, call) => {
    for (const options of [Promise.resolve({ learningRate: 1 }), new Map()])
      expect(failureOf(() => call(untyped(options))).code).toBe("UNKNOWN_OPTION");
  });
});

test.each(["then"])("a parameter can be named %s", async (name) => {
  const w = backend.tensor([1], [1]);
  const optimizer = createOptimizer(adam({ learningRate: 0.5 }), { [name]: w });
  optimizer.step({ [name]: Float32Array.of(1) });
  expect(Array.from(await w.read(), (value) => value.toFixed(3))).toEqual(["0.500"]);
});

test("slots that are null", () => {
  const w = backend.tensor([2]);
  const { code } = failureOf(() => createOptimizer(adam(), { w }, { slots: untyped(null) }));
  expect(code).toBe("INVALID_PARAMETER");
});

describe("a dynamic loss scale is made of numbers", () => {
  test.each(["initial", "growthInterval", "growthFactor", "backoffFactor"])("%s", (name) => {
    for (const value of ["2", [2], true, 2n, Symbol("2"), Object.create(null), null, NaN]) {
      const lossScale = untyped({ [name]: value });
      const call = () => createOptimizer(adam(), { w: backend.tensor([2]) }, { lossScale });
      expect(failureOf(call).code).toBe("INVALID_HYPERPARAMETER");
    }
  });
});

describe("options of restore", () => {
  test.each<[string, readonly unknown[]]>([
    ["schedules", ["cdoe", "", null, true, 1, ["code"]]],
    ["partial", ["true", "", null, 1, 0, {}]],
  ])("%s of a wrong type or an unknown word changes nothing", async (name, values) => {
    const { optimizer } = trained();
    const old = await optimizer.state();
    optimizer.step({ w: ones });
    const before = await optimizer.state();
    for (const value of values) {
      const { code, message } = failureOf(() => optimizer.restore(old, untyped({ [name]: value })));
      expect([code, message]).toEqual(["INVALID_HYPERPARAMETER", expect.stringContaining(name)]);
    }
    expect(await optimizer.state()).toEqual(before);
  });
});

test("learning rates of a step that are a list, a Map or a promise change nothing", async () => {
  const { optimizer, w } = trained();
  const before = [await optimizer.state(), await w.read()];
  for (const rates of [[], [0.1], new Map([["w", 0.1]]), Promise.resolve(0.1)]) {
    const options = untyped({ learningRate: rates });
    const { code } = failureOf(() => optimizer.step({ w: ones }, options));
    expect(code).toBe("UNKNOWN_OPTION");
  }
  expect([await optimizer.state(), await w.read()]).toEqual(before);
});

test("a bigint is shown as one", () => {
  const { message } = failureOf(() => adam({ learningRate: untyped(1n) }));
  expect(message).toContain("learningRate is 1n; expected a finite number");
});
