import { describe, expect, test } from "vitest";
import { adam, chain, createOptimizer, defineRule, ema, nonNegative, sgd } from "../src/index.js";
import { reference } from "../src/reference.js";
import { failureOf } from "./support.js";

function averaged() {
  const p = reference().tensor([3], [1, 2, 3]);
  const optimizer = createOptimizer(chain(sgd({ learningRate: 0.1 }), ema(0.9)), { p });
  for (let step = 0; step < 3; step += 1) optimizer.step({ p: Float32Array.of(0.1, 0.2, 0.3) });
  return { p, optimizer };
}

describe("swap", async () => {
  const saved = await averaged().optimizer.state();

  test("puts the average into the parameters, and the weights back, bit for bit", async () => {
    const { p, optimizer } = averaged();
    const trained = await p.read();
    const { ema: average } = (await optimizer.state()).slots.p;
    optimizer.swap();
    expect(optimizer.isSwapped).toBe(true);
    expect(await p.read()).toEqual(average);
    expect(average).not.toEqual(trained);
    optimizer.swap();
    expect(optimizer.isSwapped).toBe(false);
    expect(await p.read()).toEqual(trained);
  });

  test("does not change what follows", async () => {
    const one = averaged();
    const other = averaged();
    one.optimizer.swap();
    one.optimizer.swap();
    for (const { optimizer } of [one, other]) optimizer.step({ p: Float32Array.of(3, 2, 1) });
    expect(await one.p.read()).toEqual(await other.p.read());
    expect(await one.optimizer.state()).toEqual(await other.optimizer.state());
  });

  test.each([
    [
      "step",
      (optimizer: ReturnType<typeof averaged>["optimizer"]) =>
        optimizer.step({ p: Float32Array.of(1, 2, 3) }),
    ],
    ["rows", (optimizer: ReturnType<typeof averaged>["optimizer"]) => optimizer.rows()],
    ["restore", (optimizer: ReturnType<typeof averaged>["optimizer"]) => optimizer.restore(saved)],
    ["remove", (optimizer: ReturnType<typeof averaged>["optimizer"]) => optimizer.remove("p")],
  ])("%s throws in between, and changes nothing", async (_, call) => {
    const { p, optimizer } = averaged();
    optimizer.swap();
    const before = await p.read();
    expect(failureOf(() => call(optimizer)).code).toBe("SWAPPED");
    expect(await p.read()).toEqual(before);
    expect(optimizer.iterations).toBe(3);
  });

  test("a state cannot be taken in between: the values to save with it are not in the parameters", async () => {
    const { p, optimizer } = averaged();
    const state = await optimizer.state();
    optimizer.swap();
    const before = await p.read();
    await expect(optimizer.state()).rejects.toMatchObject({ code: "SWAPPED" });
    expect(await p.read()).toEqual(before);
    optimizer.swap();
    expect(await optimizer.state()).toEqual(state);
  });

  test("is refused for a rule whose parameters are the weights", () => {
    const p = reference().tensor([1]);
    expect(failureOf(() => createOptimizer(adam(), { p }).swap()).code).toBe("UNSUPPORTED");
  });

  test("is refused where an option leaves the weights to evaluate with blank", () => {
    const optional = defineRule({
      name: "optional-average",
      hyperparameters: { learningRate: nonNegative(0.1) },
      options: { averaged: [false, true] },
      slots: ({ averaged }): Record<string, "p"> => (averaged ? { average: "p" } : {}),
      perElement: ({ averaged }) =>
        `p = p - g * learningRate${averaged ? "\naverage = average * 0.5 + p * 0.5" : ""}`,
      evaluation: ({ averaged }) => (averaged ? "p = average" : " \n"),
    });
    const optimizerOf = (averaged: boolean) =>
      createOptimizer(optional({ averaged }), { p: reference().tensor([1]) });
    expect(failureOf(() => optimizerOf(false).swap()).code).toBe("UNSUPPORTED");
    expect(() => optimizerOf(true).swap()).not.toThrow();
    expect(optional.rule.variant({ averaged: false }).evaluation).toBeUndefined();
  });

  test("only parameters whose rule has such weights are exchanged", async () => {
    const backend = reference();
    const a = backend.tensor([1], [1]);
    const b = backend.tensor([1], [1]);
    const optimizer = createOptimizer(
      sgd({ learningRate: 1 }),
      { a, b },
      { groups: [{ match: "b", rule: chain(sgd({ learningRate: 1 }), ema(0.5)) }] },
    );
    for (let step = 0; step < 2; step += 1)
      optimizer.step({ a: Float32Array.of(1), b: Float32Array.of(1) });
    optimizer.swap();
    expect([(await a.read())[0], (await b.read())[0]]).toEqual([-1, -0.5]);
  });
});
