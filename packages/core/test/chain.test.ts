import { describe, expect, test } from "vitest";
import {
  adafactor,
  adam,
  adamw,
  adaptiveGradientClip,
  chain,
  clipByValue,
  createOptimizer,
  defineRule,
  defineStage,
  nonNegative,
  rmsprop,
  sgd,
  stableUpdate,
  type ChainPart,
  type Matrices,
  type OptimizerSpec,
  type RuleDefinition,
  type StageSpec,
} from "../src/index.js";
import { oracle, reference } from "../src/reference.js";
import { clipByGlobalNorm } from "../src/stages/clip-by-global-norm.js";
import { ema } from "../src/stages/ema.js";
import { anything, failureOf } from "./support.js";

const halved = defineStage({
  name: "halved",
  hyperparameters: { factor: nonNegative(0.5) },
  perStep: "scale = factor * 1",
  perElement: "u = u * scale",
});

describe("a chain", () => {
  test("clips, steps and averages", async () => {
    const backend = oracle();
    const p = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(
      chain(clipByGlobalNorm(1), sgd({ learningRate: 0.1 }), ema(0.9)),
      { p },
    );
    optimizer.step({ p: Float64Array.of(3, 4) });
    const [a, b] = await p.read();
    expect(a).toBeCloseTo(1 - 0.06, 15);
    expect(b).toBeCloseTo(2 - 0.08, 15);
    expect((await optimizer.metrics()).globalNorm).toBeCloseTo(5, 14);
    expect([...(await optimizer.state()).slots.p.ema]).toEqual([a, b]);
    optimizer.step({ p: Float64Array.of(0.3, 0) });
    const after = await p.read();
    expect(after[0]).toBeCloseTo(a - 0.03, 15);
    const average = (await optimizer.state()).slots.p.ema;
    expect(average[0]).toBeCloseTo(a * 0.9 + after[0] * 0.1, 15);
  });

  test("has the hyperparameters of its parts, which can be set between steps", async () => {
    const backend = oracle();
    const p = backend.tensor([1], [0]);
    const optimizer = createOptimizer(chain(sgd({ learningRate: 1 }), halved()), { p });
    optimizer.step({ p: Float64Array.of(1) });
    optimizer.factor = 0.25;
    optimizer.learningRate = 2;
    optimizer.step({ p: Float64Array.of(1) });
    expect((await p.read())[0]).toBe(-1);
    expect(() => {
      optimizer.factor = -1;
    }).toThrow("factor is -1");
  });

  test("is one pass over elements where no stage reduces", () => {
    const { rule } = chain(adamw(), halved(), ema());
    expect(rule.variant().passPlan.passes).toHaveLength(1);
    expect(rule.name).toBe("adamw+halved+ema");
  });

  test("a chain in a chain", () => {
    const inner = chain(clipByGlobalNorm(1), adam());
    expect(chain(inner, ema()).rule.name).toBe("clip-by-global-norm+adam+ema");
    const specified = inner.rule.specify({ globalClipNorm: 2 });
    expect(chain(specified, ema()).rule.variant().perElement).toEqual(
      chain(inner, ema()).rule.variant().perElement,
    );
    const averaged = chain(adam(), ema()).rule.specify({});
    expect(failureOf(() => chain(averaged, halved())).code).toBe("INVALID_CHAIN");
  });

  test("has its stages in the groups of a rule that have a rule of their own", async () => {
    const backend = oracle();
    const [w, b] = [backend.tensor([1, 2]), backend.tensor([1])];
    const groups = [{ match: "b", rule: sgd({ learningRate: 1 }) }];
    const spec = { ...sgd({ learningRate: 0.5 }), groups };
    const optimizer = createOptimizer(chain(clipByGlobalNorm(1), spec, ema(0.5)), { w, b });
    optimizer.step({ w: Float64Array.of(2, 3), b: Float64Array.of(6) });
    expect([...(await w.read())]).toEqual([-0.5 * 2 * (1 / 7), -0.5 * 3 * (1 / 7)]);
    expect([...(await b.read())]).toEqual([-6 * (1 / 7)]);
    expect(await optimizer.metrics()).toEqual({ globalNorm: 7 });
    expect(Object.keys((await optimizer.state()).slots.b)).toEqual(["ema"]);
    expect(optimizer.groups[0]).toMatchObject({ learningRate: 1, globalClipNorm: 1 });
  });

  test("gives the bits of its parts one after the other", async () => {
    const gradient = Float32Array.from({ length: 37 }, (_, i) => Math.sin(i));
    const backend = reference();
    const p = backend.tensor([37]);
    const q = backend.tensor([37]);
    const fused = createOptimizer(chain(clipByGlobalNorm(1), adam(), ema(0.9)), { p });
    const plain = createOptimizer(adam(), { q });
    for (let step = 0; step < 3; step += 1) {
      fused.step({ p: gradient });
      const norm = (await fused.metrics()).globalNorm as number;
      const factor = Math.min(1, Math.fround(1 / norm));
      plain.step({ q: gradient.map((g) => Math.fround(g * factor)) });
    }
    expect(await p.read()).toEqual(await q.read());
  });

  test("metrics are no part of the state", async () => {
    const backend = reference();
    const p = backend.tensor([1]);
    const optimizer = createOptimizer(chain(clipByGlobalNorm(1), sgd()), { p });
    expect(await optimizer.metrics()).toEqual({ globalNorm: Number.NaN });
    expect((await optimizer.state()).slots).toEqual({ p: {} });
    optimizer.restore(await optimizer.state());
  });

  test("parts, for kernels that run one after the other", () => {
    const { parts, scalars, slots } = chain(clipByGlobalNorm(1), adam(), ema()).rule.variant();
    expect(parts!.map(({ variant }) => variant.rule)).toEqual([
      "clip-by-global-norm",
      "adam",
      "ema",
    ]);
    expect(parts![2].variant.scalars).toEqual(["decay", "weight", "isOverwritten"]);
    expect(parts![2].scalars.map((i) => scalars[i])).toEqual([
      "ema_decay",
      "ema_weight",
      "ema_isOverwritten",
    ]);
    expect(parts![1].slots.map((i) => slots[i].name)).toEqual(["m", "v"]);
    expect(chain(adam(), halved()).rule.variant().parts).toBeUndefined();
  });

  test("no parts where a stage sums rows of other matrices than the chain", () => {
    const parts = (...all: readonly ChainPart[]): readonly string[] | undefined =>
      chain(...all)
        .rule.variant()
        .parts?.map(({ variant }) => variant.rule);
    expect(parts(adaptiveGradientClip(), adam())).toEqual(["adaptive-gradient-clip", "adam"]);
    expect(parts(clipByValue(1), adafactor())).toEqual(["clip-by-value", "adafactor"]);
    expect(parts(adaptiveGradientClip(), adafactor())).toBeUndefined();
    const weighted = defineStage({
      name: "weighted",
      slots: { weight: { extent: "row", initial: 1 } },
      perElement: "p = p * weight",
    });
    expect(parts(adam(), weighted())).toEqual(["adam", "weighted"]);
    expect(parts(adafactor(), weighted())).toBeUndefined();
  });
});

describe("rows of a chain, for a tensor of more than two dimensions", () => {
  const rule = (
    perElement: string,
    more: Partial<RuleDefinition<"learningRate", Record<never, never>, never>> = {},
  ): OptimizerSpec =>
    defineRule({
      name: "own",
      hyperparameters: { learningRate: nonNegative(1) },
      perElement,
      ...more,
    })();
  const stage = (matrices: Matrices): StageSpec =>
    defineStage({
      name: "summed",
      matrices,
      slots: { seen: { extent: "row", initial: 0 } },
      perElement: "seen = sumRow(g)\ng = g * 1 + 0 * seen",
    })();
  const row = { extent: "row", initial: 0 } as const;
  const kept = { slots: { kept: row } };

  test.each([
    [
      "its rule's, if it has rows: the first dimension",
      stage("last"),
      rule("kept = sumRow(g)\nu = g", kept),
      [10, 26],
    ],
    ["its rule's, if it says so", stage("last"), rule("u = g", { matrices: "first" }), [10, 26]],
    [
      "its rule's: the last two dimensions",
      stage("first"),
      rule("u = g", { matrices: "last" }),
      [3, 7, 11, 15],
    ],
    ["a stage's, if the rule has no rows", stage("last"), rule("u = g"), [3, 7, 11, 15]],
    ["the first dimension, if nothing says otherwise", stage("first"), rule("u = g"), [10, 26]],
  ])("are %s", async (_, of, spec, wanted) => {
    const p = oracle().tensor([2, 2, 2]);
    const optimizer = createOptimizer(chain(of, spec), { p });
    optimizer.step({ p: Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    const { seen, kept: ofRule = seen } = (await optimizer.state()).slots.p;
    expect([...seen]).toEqual(wanted);
    expect([...ofRule]).toEqual(wanted);
  });
});

describe("a chain that has no meaning is refused", () => {
  const own = defineRule({
    name: "own",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement: "p = p - g * learningRate",
  });
  test.each([
    ["without a rule", () => chain(ema()), "no rule"],
    ["with two rules", () => chain(adam(), sgd()), "the rules adam and sgd"],
    [
      "with a stage after what it should precede",
      () => chain(adam(), clipByGlobalNorm(1)),
      "clip-by-global-norm stands after adam",
    ],
    [
      "with a stage before what it should follow",
      () => chain(ema(), adam()),
      "adam stands after ema",
    ],
    [
      "with two of a stage",
      () => chain(adam(), ema(), ema()),
      '"emaMomentum" belongs to ema and to ema',
    ],
    ["with a stage on u and a rule without", () => chain(own(), halved()), "own assigns p itself"],
    [
      "with a stage that reads a slot which the rule does not have",
      () => chain(sgd(), stableUpdate()),
      'stable-update reads "v", which sgd does not have',
    ],
    [
      "with a stage that reads a hyperparameter which the rule does not have",
      () => chain(rmsprop(), stableUpdate()),
      'stable-update reads "beta2", which rmsprop does not have',
    ],
    ["with something else", () => chain(adam() as never, 3 as never), "got 3"],
    ["with a stage that was not called", () => chain(ema as never, adam()), "got a function"],
  ])("%s", (_, make, message) => {
    const failure = failureOf(make);
    expect(failure.code).toBe("INVALID_CHAIN");
    expect(failure.message).toContain(message);
  });
});

describe("a stage that has no meaning is refused", () => {
  test.each([
    ["g and p", "g = g * 2\np = p * 2", "g, p"],
    ["nothing", "x = g", "none"],
  ])("assigns %s", (_, perElement, assigned) => {
    const failure = failureOf(() => defineStage({ name: "odd", perElement }));
    expect(failure.code).toBe("INVALID_RULE");
    expect(failure.message).toContain(`assigns ${assigned}`);
  });

  test.each([
    [{ perElement: "u = u * v", reads: { slots: "v" } }, "reads is"],
    [{ perElement: "u = u * v", reads: { slots: ["g"] } }, "reads is"],
    [{ perElement: "u = u * v", reads: null }, "reads is"],
    [{ perElement: "u = u * v", reads: { slot: ["v"] } }, "reads is"],
    [{ perElement: "p = p * v", reads: { slots: ["v"] } }, "only a stage on u"],
    [{ perElement: "u = u * 2", structural: [] }, 'A stage has no "structural"'],
  ])("case %#", (definition, message) => {
    const failure = failureOf(() =>
      defineStage(anything<{ name: string; perElement: string }>({ name: "odd", ...definition })),
    );
    expect(failure.code).toBe("INVALID_RULE");
    expect(failure.message).toContain(message);
  });

  test.each([
    ["p, and reads g", "p = p - g"],
    ["g, and reads u", "g = g + u"],
    ["a syntax error", "g = g +"],
  ])("%s", (_, perElement) => {
    expect(failureOf(() => defineStage({ name: "odd", perElement })).code).toBe("RULE_SYNTAX");
  });
});
