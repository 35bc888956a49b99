import { describe, expect, test, vi } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  lion,
  nonNegative,
  sgd,
} from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
import { failureOf } from "./support.js";

const gradient = Float32Array.of(0.5, -2, 3, 0.25);

function parameters() {
  const backend = reference();
  return { w: backend.tensor([2, 2], [1, 2, 3, 4]), b: backend.tensor([4], [1, 2, 3, 4]) };
}

/** The optimizer with a rule of its own for matrices. */
function mixed({ w, b } = parameters()) {
  const optimizer = createOptimizer(
    sgd({ learningRate: 0.1 }),
    { w, b },
    { groups: [{ match: ({ shape }) => shape.length === 2, rule: adam({ learningRate: 0.5 }) }] },
  );
  return { optimizer, w, b };
}

describe("a group with a rule of its own", () => {
  test("is stepped by it, the others by the optimizer's", async () => {
    const { optimizer, w, b } = mixed();
    const alone = parameters();
    const adamAlone = createOptimizer(adam({ learningRate: 0.5 }), { w: alone.w });
    const sgdAlone = createOptimizer(sgd({ learningRate: 0.1 }), { b: alone.b });
    for (let step = 0; step < 3; step += 1) {
      optimizer.step({ w: gradient, b: gradient });
      adamAlone.step({ w: gradient });
      sgdAlone.step({ b: gradient });
    }
    expect(await w.read()).toEqual(await alone.w.read());
    expect(await b.read()).toEqual(await alone.b.read());
    expect(optimizer.iterations).toBe(3);
  });

  test("has the hyperparameters of its rule", async () => {
    const { optimizer, w, b } = mixed();
    const [group] = optimizer.groups as unknown as Record<string, number>[];
    expect([group.learningRate, group.beta2]).toEqual([0.5, 0.999]);
    optimizer.learningRate = 0;
    optimizer.step({ w: gradient, b: gradient });
    expect([...(await b.read())]).toEqual([1, 2, 3, 4]);
    group.learningRate = 0;
    const before = await w.read();
    optimizer.step({ w: gradient, b: gradient });
    expect(await w.read()).toEqual(before);
    expect(() => {
      group.momentum = 1;
    }).toThrow("momentum");
  });

  test("can override them, and is due at steps of its own", async () => {
    const backend = oracle();
    const p = backend.tensor([1]);
    const optimizer = createOptimizer(
      adam(),
      { p },
      { groups: [{ match: "p", rule: sgd({ learningRate: 1 }), learningRate: 2, every: 2 }] },
    );
    for (let step = 0; step < 4; step += 1) optimizer.step({ p: Float64Array.of(1) });
    expect((await p.read())[0]).toBe(-4);
  });

  test("state and configuration hold its rule", async () => {
    const { optimizer } = mixed();
    optimizer.step({ w: gradient, b: gradient });
    const state = await optimizer.state();
    expect(state.groups[1]).toMatchObject({ rule: "adam", hyperparameters: { learningRate: 0.5 } });
    expect(Object.keys(state.slots.w)).toEqual(["m", "v"]);
    expect(Object.keys(state.slots.b)).toEqual([]);
    const config = structuredClone(optimizer.config());
    const again = parameters();
    const resumed = createOptimizer(optimizerByName(config), again);
    expect(resumed.config()).toEqual(config);
    resumed.restore(state);
    resumed.step({ w: gradient, b: gradient });
    optimizer.step({ w: gradient, b: gradient });
    expect(await resumed.state()).toEqual(await optimizer.state());
  });

  test("a state of another rule is refused", async () => {
    const { optimizer, w, b } = mixed();
    const other = createOptimizer(sgd(), { w, b }, { groups: [{ match: "w", rule: lion() }] });
    const plain = createOptimizer(sgd(), { w, b }, { groups: [{ match: "w" }] });
    for (const [from, to] of [
      [optimizer, other],
      [plain, optimizer],
      [optimizer, plain],
    ]) {
      const state = await from.state();
      expect(failureOf(() => to.restore(state)).code).toBe("STATE_MISMATCH");
    }
  });

  test("a state of the same rule with other options, or without them, is refused", async () => {
    const { w, b } = mixed();
    const [one, other] = [adam(), adam({ averageForm: "sum" })].map((rule) =>
      createOptimizer(sgd(), { w, b }, { groups: [{ match: "w", rule }] }),
    );
    const state = await one.state();
    one.restore(state);
    expect(failureOf(() => other.restore(state)).code).toBe("STATE_MISMATCH");
    const [{ options: _, ...group }] = state.groups.slice(1);
    const without = { ...state, groups: [state.groups[0], group] };
    expect(failureOf(() => one.restore(without)).code).toBe("STATE_MISMATCH");
  });

  test("a rule with step control is refused, since the optimizer has one", () => {
    const accumulating = { ...adam(), control: { accumulate: 2 } };
    const failure = failureOf(() =>
      createOptimizer(sgd(), parameters(), { groups: [{ match: "w", rule: accumulating }] }),
    );
    expect(failure.code).toBe("UNKNOWN_OPTION");
    expect(failure.message).toContain("adam has groups or step control of its own");
  });

  test("does with sparse gradients what its spec says, unless the group has an option", () => {
    const lazy = { ...adam(), sparseOptions: { sparse: "lazy", rowSteps: true } as const };
    const options = (group: object): object =>
      createOptimizer(sgd(), parameters(), {
        groups: [{ match: "w", rule: lazy, ...group }],
      }).config().groups[0];
    expect(options({})).toMatchObject({ sparse: "lazy", rowSteps: true });
    expect(options({ rowSteps: false })).toMatchObject({ sparse: "lazy" });
    expect(options({ rowSteps: false })).not.toHaveProperty("rowSteps");
    expect(options({ sparse: "dense", rowSteps: false })).not.toHaveProperty("sparse");
  });

  test("its structural hyperparameters choose no text for the others", async () => {
    const rule = sgd({ learningRate: 0.1 });
    const options = { groups: [{ match: "w", rule, momentum: 0.9 }] };
    const optimizer = createOptimizer(sgd({ learningRate: 0.1 }), parameters(), options);
    optimizer.step({ w: gradient, b: gradient });
    const { slots } = await optimizer.state();
    expect(Object.keys(slots.w)).toEqual(["m"]);
    expect(slots.b).toEqual({});
  });

  test("rows move with the slots of its rule", async () => {
    const { optimizer, w, b } = mixed();
    optimizer.step({ w: gradient, b: gradient });
    const { m } = (await optimizer.state()).slots.w;
    optimizer.rows("w").remap(Uint32Array.of(1, 0));
    expect([...(await optimizer.state()).slots.w.m]).toEqual([m[2], m[3], m[0], m[1]]);
    expect(w.shape).toEqual([2, 2]);
    expect(b.shape).toEqual([4]);
  });

  test.each([
    ["a rule that was not called", adam, "INVALID_RULE"],
    ["a rule with groups", { ...adam(), groups: [{ match: "w" }] }, "UNKNOWN_OPTION"],
    ["a name", "adam", "INVALID_RULE"],
  ])("%s is refused", (_, rule, code) => {
    const options = { groups: [{ match: "w", rule: rule as never }] };
    expect(failureOf(() => createOptimizer(sgd(), parameters(), options)).code).toBe(code);
  });
});

describe("a reduction over all tensors", () => {
  const clipped = (clip: number) => chain(clipByGlobalNorm(clip), sgd({ learningRate: 1 }));
  const inGroup = chain(clipByGlobalNorm(2), sgd({ learningRate: 1, momentum: 0.5 }));

  test("covers the tensors of all rules that have it", async () => {
    const backend = oracle();
    const a = backend.tensor([1]);
    const b = backend.tensor([1]);
    const optimizer = createOptimizer(
      clipped(1),
      { a, b },
      { groups: [{ match: "b", rule: inGroup }] },
    );
    optimizer.step({ a: Float64Array.of(3), b: Float64Array.of(4) });
    expect((await a.read())[0]).toBeCloseTo(-3 / 5, 15);
    expect((await b.read())[0]).toBeCloseTo((-4 * 2) / 5, 15);
    expect(await optimizer.metrics()).toEqual({ globalNorm: 5 });
  });

  test("needs no new list of runs in each step, also if a rule has no gradient in some", async () => {
    const backend = oracle();
    const runTogether = vi.spyOn(backend, "runTogether");
    const tensors = Object.fromEntries(["a", "b", "c"].map((name) => [name, backend.tensor([1])]));
    const optimizer = createOptimizer(clipped(1), tensors, {
      groups: [
        { match: "b", rule: inGroup },
        { match: "c", rule: clipped(3) },
      ],
    });
    const [a, b, c] = [3, 4, 12].map((value) => Float64Array.of(value));
    for (const gradients of [
      { a, b, c },
      { a, b },
      { b, c },
      { a, b, c },
    ])
      optimizer.step(gradients);
    const factors = [3 / 13, 3 / Math.hypot(4, 12), 3 / 13];
    const expected = factors.reduce((sum, factor) => sum - 12 * factor, 0);
    expect((await tensors.c.read())[0]).toBeCloseTo(expected, 14);
    expect(new Set(runTogether.mock.calls.map(([runs]) => runs)).size).toBe(1);
  });

  test("is refused on a backend that cannot do this, before anything changes", () => {
    const backend = reference();
    const a = backend.tensor([1]);
    const b = backend.tensor([1]);
    Object.assign(backend, { runTogether: undefined });
    const options = { groups: [{ match: "b", rule: inGroup }] };
    expect(failureOf(() => createOptimizer(clipped(1), { a, b }, options)).code).toBe(
      "UNSUPPORTED",
    );
  });

  test("is divided by the number of values in all of them, if it is a mean", async () => {
    const spread = (name: string) =>
      defineRule({
        name,
        hyperparameters: { learningRate: nonNegative(1) },
        perElement: "u = g * 0 + meanAll(g)",
      })();
    const backend = oracle();
    const a = backend.tensor([1]);
    const b = backend.tensor([3]);
    const options = { groups: [{ match: "b", rule: spread("other") }] };
    const optimizer = createOptimizer(spread("one"), { a, b }, options);
    optimizer.step({ a: Float64Array.of(5), b: Float64Array.of(1, 2, 4) });
    expect([(await a.read())[0], ...(await b.read())]).toEqual([-3, -3, -3, -3]);
  });
});
