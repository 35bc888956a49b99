import { describe, expect, test } from "vitest";
import { createOptimizer, sgd } from "../src/index.js";
import { fromTorch, torchStep } from "../src/interop/index.js";
import { oracle } from "../src/reference.js";
import { failureOf } from "./support.js";

const g = Float64Array.of(0.5, 0.5);

function make(names: readonly string[], name = "Adam", options: object = { lr: 0.01 }) {
  const backend = oracle();
  const parameters = { a: backend.tensor([2], [1, 1]), b: backend.tensor([2], [1, 1]) };
  const groups = names.map((one) => ({ parameters: [one] }));
  const optimizer = createOptimizer(fromTorch(name, { ...options, groups }), parameters);
  return { ...parameters, optimizer };
}

const countsOf = ({ groups }: ReturnType<typeof make>["optimizer"]): number[] =>
  groups.map(({ iterations }) => iterations);

describe("torchStep", () => {
  test.each([
    ["Adam", { lr: 0.01 }, 0.99],
    // The first buffer of momentum is the gradient, without dampening.
    ["SGD", { lr: 0.2, momentum: 0.9, dampening: 0.9 }, 0.9],
  ])("%s: the first step of a parameter is its own, as in PyTorch", async (name, options, next) => {
    const { a, b, optimizer } = make(["a", "b"], name, options);
    for (let step = 0; step < 1000; step += 1) torchStep(optimizer, { a: g });
    expect([...(await b.read())]).toEqual([1, 1]);
    torchStep(optimizer, { a: g, b: g });
    expect((await b.read())[0]).toBeCloseTo(next, 8);
    expect(countsOf(optimizer)).toEqual([1001, 1]);
    expect(optimizer.iterations).toBe(1001);
    expect((await a.read())[0]).not.toBeCloseTo(next, 2);
  });

  test("without gradients, schedules go on and parameters count no step", async () => {
    const { a, optimizer } = make(["a", "b"]);
    torchStep(optimizer, {});
    torchStep(optimizer, { a: null, b: undefined });
    expect([optimizer.iterations, ...countsOf(optimizer)]).toEqual([2, 0, 0]);
    expect([...(await a.read())]).toEqual([1, 1]);
  });

  test("frozen groups stay frozen, others do not become it", () => {
    const { optimizer } = make(["a", "b"]);
    optimizer.groups[1].frozen = true;
    torchStep(optimizer, { b: g });
    expect(optimizer.groups.map(({ frozen }) => frozen)).toEqual([false, true]);
    expect(countsOf(optimizer)).toEqual([0, 0]);
  });

  test("options are those of a step", async () => {
    const { a, optimizer } = make(["a", "b"], "SGD", { lr: 1 });
    torchStep(optimizer, { a: g }, { scale: 0.5 });
    expect([...(await a.read())]).toEqual([0.75, 0.75]);
  });

  test.each([
    [
      "a group of which some have a gradient",
      [],
      "a has no gradient, and the other 1 of the group",
    ],
    ["the optimizer's own group", ["b"], "a has no gradient, and no group of their own"],
  ])("%s is refused, and nothing changes", async (_, names, text) => {
    const { b, optimizer } = make(names);
    const { code, message } = failureOf(() => torchStep(optimizer, { b: g }));
    expect(code).toBe("UNSUPPORTED");
    expect(message).toContain(text);
    expect(optimizer.iterations).toBe(0);
    expect([...(await b.read())]).toEqual([1, 1]);
  });

  test("a step that throws leaves no group frozen", () => {
    const { optimizer } = make(["a", "b"]);
    const wrong = { b: Float64Array.of(1) };
    expect(failureOf(() => torchStep(optimizer, wrong)).code).toBe("LENGTH_MISMATCH");
    expect(optimizer.groups.map(({ frozen }) => frozen)).toEqual([false, false]);
  });

  test("calls that make no step are refused", () => {
    const w = oracle().tensor([2], [1, 1]);
    const optimizer = createOptimizer(sgd(), { w }, { accumulate: 2 });
    expect(failureOf(() => torchStep(optimizer, { w: g })).code).toBe("UNSUPPORTED");
    expect(optimizer.microSteps).toBe(0);
  });

  test.each([[undefined], [{}], [fromTorch("Adam")]])("%s is no optimizer", (value) => {
    expect(failureOf(() => torchStep(value as never, {})).code).toBe("INVALID_PARAMETER");
  });

  test.each([[undefined], [null], [5]])("%s are no gradients", (value) => {
    const { optimizer } = make(["a", "b"]);
    expect(failureOf(() => torchStep(optimizer, value as never)).code).toBe("INVALID_GRADIENT");
  });
});
