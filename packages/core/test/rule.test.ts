import { describe, expect, test } from "vitest";
import { decayRate, nonNegative } from "../src/rule/hyperparameter.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { defineRule } from "../src/rule/define-rule.js";
import { adam } from "../src/rules/adam.js";
import { adamw } from "../src/rules/adamw.js";
import { rules } from "../src/rules/index.js";
import { sgd } from "../src/rules/sgd.js";
import { checkRule } from "../src/rule/rule.js";
import { anything, codeOf, failureOf } from "./support.js";
import { plain } from "./plain-rule.js";

describe("variants", () => {
  test("equal choices give the same object, in any order and with any omissions", () => {
    const { rule } = adam;
    const one = rule.variant({ amsgrad: true });
    expect(rule.variant({ amsgrad: true, nesterov: false })).toBe(one);
    expect(rule.variant({ nesterov: false, maximize: false, amsgrad: true })).toBe(one);
    expect(rule.variant()).not.toBe(one);
    expect(rule.variant({})).toBe(rule.variant());
  });

  test("unknown choices are refused", () => {
    expect(codeOf(() => adam.rule.variant({ amsgard: true }))).toBe("UNKNOWN_OPTION");
    expect(codeOf(() => adam.rule.variant({ amsgrad: "yes" }))).toBe("INVALID_HYPERPARAMETER");
    expect(codeOf(() => adam.rule.variant({ epsilon: true }))).toBe("UNKNOWN_OPTION");
  });

  test.each(rules.map((rule) => [rule.name, rule] as const))(
    "%s lists every kernel exactly once",
    (_, rule) => {
      const prints = rule.variants().map(({ perElement }) => perElement.fingerprint);
      expect(new Set(prints).size).toBe(prints.length);
      expect(prints[0]).toBe(rule.variant().perElement.fingerprint);
    },
  );

  test("are labelled with the choices that differ from the defaults", () => {
    expect(adam.rule.variant().label).toBe("adam");
    expect(adam.rule.variant({ amsgrad: true, weightDecayMode: "l2" }).label).toBe(
      "adam weightDecayMode=l2 amsgrad",
    );
    expect(sgd.rule.variant({ momentum: true }).label).toBe("sgd momentum");
  });

  test("of a new rule have labels, and each has its own kernel", () => {
    const { rule } = defineRule({
      ...plain,
      hyperparameters: { ...plain.hyperparameters, bound: nonNegative(0) },
      options: { kind: ["sum", "sign"], fast: [false, true] },
      structural: ["bound"],
      perElement: ({ kind, bound }) =>
        `p = p - ${kind === "sign" ? "sign(g)" : "g"} * learningRate ${bound ? "* bound" : ""}`,
    });
    expect(rule.variant().label).toBe("plain");
    expect(rule.variant({ fast: true, kind: "sign", bound: true }).label).toBe(
      "plain kind=sign fast bound",
    );
    expect(rule.variant(anything({ kind: undefined, maximize: true, bound: undefined }))).toBe(
      rule.variant({ maximize: true }),
    );
    // `fast` changes no kernel, and the sums of both directions and decays are one: the first has the defaults.
    expect(rule.variants().map(({ label }) => label)).toEqual([
      "plain",
      "plain weightDecayMode=l2",
      "plain kind=sign",
      "plain weightDecayMode=l2 kind=sign",
      "plain bound",
      "plain weightDecayMode=l2 bound",
      "plain kind=sign bound",
      "plain weightDecayMode=l2 kind=sign bound",
    ]);
  });

  test("a structural hyperparameter selects the slots", () => {
    const names = (choices: Record<string, boolean>): string[] =>
      sgd.rule.variant(choices).slots.map(({ name }) => name);
    expect(names({})).toEqual([]);
    expect(names({ momentum: true })).toEqual(["m"]);
  });
});

test("a rule can have a weight decay of its own", async () => {
  const own = defineRule({
    name: "own",
    hyperparameters: { learningRate: nonNegative(0.5) },
    options: { weightDecayMode: ["update", "decoupled"] },
    perElement: ({ weightDecayMode }) =>
      weightDecayMode === "update"
        ? "u = (g + sign(p) * weightDecay) * learningRate"
        : "u = g * learningRate",
  });
  const after = async (settings: Parameters<typeof own>[0]): Promise<number> => {
    const w = reference().tensor([1], [2]);
    createOptimizer(own(settings), { w }).step({ w: Float32Array.of(1) });
    return (await w.read())[0];
  };
  expect(await after({ weightDecay: 0.25 })).toBe(2 - 1.25 * 0.5);
  expect(await after({ weightDecay: 0.25, maximize: true })).toBe(2 + 0.75 * 0.5);
  expect(await after({ weightDecay: 0.25, weightDecayMode: "decoupled" })).toBe(2 * 0.875 - 0.5);
});

describe("specify", () => {
  test("completes and checks", () => {
    const { hyperparameters, options, groups, rule } = sgd({ momentum: 0.5, nesterov: true });
    expect(hyperparameters).toEqual({
      weightDecay: 0,
      learningRate: 0.01,
      momentum: 0.5,
      dampening: 0,
    });
    expect(options).toEqual({
      weightDecayMode: "decoupled",
      maximize: false,
      nesterov: true,
      momentumForm: "keras",
    });
    expect(groups).toEqual([]);
    expect(rule).toBe(sgd.rule);
  });

  test("treats undefined as left out", () => {
    expect(sgd(anything({ momentum: undefined, nesterov: undefined }))).toEqual(sgd());
  });

  test.each([
    [{ learningrate: 1 }, "UNKNOWN_OPTION"],
    [{ lr: 1 }, "UNKNOWN_OPTION"],
    [{ beta1: 0.9 }, "UNKNOWN_OPTION"],
    [{ constructor: 1 }, "UNKNOWN_OPTION"],
    [{ toString: 1 }, "UNKNOWN_OPTION"],
    [JSON.parse('{ "__proto__": 1 }'), "UNKNOWN_OPTION"],
    [{ learningRate: -1 }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: Number.NaN }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: Infinity }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: "0.1" }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: null }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: 1n }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: Symbol("x") }, "INVALID_HYPERPARAMETER"],
    [{ learningRate: Object.create(null) }, "INVALID_HYPERPARAMETER"],
    [{ dampening: 1.5 }, "INVALID_HYPERPARAMETER"],
    [{ nesterov: 1 }, "INVALID_HYPERPARAMETER"],
    [{ nesterov: "true" }, "INVALID_HYPERPARAMETER"],
    [{ momentumForm: "Keras" }, "INVALID_HYPERPARAMETER"],
    [{ momentumForm: true }, "INVALID_HYPERPARAMETER"],
    [null, "UNKNOWN_OPTION"],
    [5, "UNKNOWN_OPTION"],
    ["adam", "UNKNOWN_OPTION"],
    [[], "UNKNOWN_OPTION"],
  ])("refuses case %#", (settings, code) => {
    expect(codeOf(() => sgd(anything(settings)))).toBe(code);
  });

  test.each([-0.1, 1, 1.5, Number.NaN])("beta1 = %f is refused", (beta1) => {
    expect(codeOf(() => adam({ beta1 }))).toBe("INVALID_HYPERPARAMETER");
  });

  test("the ends of ranges are allowed", () => {
    expect(adam({ beta1: 0, learningRate: 0 }).hyperparameters).toMatchObject({
      beta1: 0,
      learningRate: 0,
    });
    expect(sgd({ dampening: 1 }).hyperparameters.dampening).toBe(1);
  });

  test("a value that contains itself can be shown", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    expect(codeOf(() => sgd(anything({ learningRate: loop })))).toBe("INVALID_HYPERPARAMETER");
  });
});

describe("a rule of a third party", () => {
  /** Uses every part of a definition: a slot, a persistent scalar, an option and a structural hyperparameter. */
  const custom = defineRule({
    name: "custom-rule",
    hyperparameters: {
      learningRate: nonNegative(0.5),
      beta: decayRate(0.5),
      start: nonNegative(2),
      bound: nonNegative(0),
    },
    options: { kind: ["sum", "sign"] },
    structural: ["bound"],
    slots: ({ bound }): Record<string, number | "start"> =>
      bound ? { m: "start", seen: 0 } : { m: "start" },
    persistentScalars: { total: 1 },
    perStep: "total = total + beta ** t\nrate = learningRate / total",
    perElement: ({ kind, bound }) => `
      m = m * beta + g
      ${bound ? "seen = max(seen, abs(m))" : ""}
      step = ${kind === "sign" ? "sign(m)" : "m"} ${bound ? "/ (seen > bound ? seen : bound)" : ""}
      p = p - step * rate
    `,
  });

  function twoSteps(spec: ReturnType<typeof custom>): number {
    const values = Float32Array.of(1);
    const optimizer = createOptimizer(spec, { w: reference().wrap(values) });
    optimizer.step({ w: Float32Array.of(0.25) });
    optimizer.step({ w: Float32Array.of(-0.5) });
    return values[0];
  }

  test("works end to end", () => {
    // m: 2·½ + ¼ = 1.25, then 0.625 − 0.5 = 0.125; total: 1.5, then 1.75.
    expect(twoSteps(custom())).toBeCloseTo(1 - (1.25 * 0.5) / 1.5 - (0.125 * 0.5) / 1.75, 6);
    expect(twoSteps(custom({ kind: "sign" }))).toBeCloseTo(1 - 0.5 / 1.5 - 0.5 / 1.75, 6);
    // seen: 1.25 both times; bound is the larger.
    expect(twoSteps(custom({ bound: 2 }))).toBeCloseTo(
      1 - ((1.25 / 2) * 0.5) / 1.5 - ((0.125 / 2) * 0.5) / 1.75,
      6,
    );
  });

  test("has the common options and hyperparameters", () => {
    const values = Float32Array.of(1);
    const spec = custom({ weightDecay: 0.1, maximize: true, learningRate: 1 });
    createOptimizer(spec, { w: reference().wrap(values) }).step({ w: Float32Array.of(0.25) });
    // p·(1 − 0.1), m = 1 − ¼.
    expect(values[0]).toBeCloseTo(0.9 - 0.75 / 1.5, 6);
  });

  test("need not read the parameter or the gradient", () => {
    const step = (perElement: string): number => {
      const values = Float32Array.of(1);
      const { rule } = defineRule({ ...plain, slots: { z: 0 }, perElement });
      const spec = rule.specify({ maximize: true, weightDecay: 0.5 });
      createOptimizer(spec, { w: reference().wrap(values) }).step({ w: Float32Array.of(0.25) });
      return values[0];
    };
    // Dual averaging: the parameter follows from the sum of all gradients.
    expect(step("z = z + g\np = -z")).toBe(0.25);
    expect(step("z = p\np = 2")).toBe(2);
  });

  test("can be extended", () => {
    const slow = custom.extend({
      name: "slow",
      hyperparameters: { learningRate: nonNegative(0.1) },
    });
    expect(slow.rule.name).toBe("slow");
    expect(slow().hyperparameters).toEqual({ ...custom().hyperparameters, learningRate: 0.1 });
    expect(slow.rule.variant().perElement.fingerprint).toBe(
      custom.rule.variant().perElement.fingerprint,
    );
    expect(custom().hyperparameters.learningRate).toBe(0.5);
    expect(codeOf(() => custom.extend(anything(null)))).toBe("INVALID_RULE");
    expect(codeOf(() => custom.extend(anything({ hyperparameters: {} })))).toBe("INVALID_RULE");
    const more = { name: "more", hyperparameters: { other: nonNegative(1) } };
    expect(codeOf(() => custom.extend(more))).toBe("INVALID_RULE");
    for (const changed of [undefined, 5, null]) {
      const changes = { name: "more", hyperparameters: changed };
      expect(codeOf(() => custom.extend(anything(changes)))).toBe("INVALID_RULE");
    }
    for (const range of [undefined, null, {}, { default: -1, min: 0 }]) {
      const changes = { name: "more", hyperparameters: { beta: range } };
      expect(codeOf(() => custom.extend(anything(changes)))).toBe("INVALID_HYPERPARAMETER");
    }
  });
});

test("an error for an unknown name lists each known name once", () => {
  const { code, message } = failureOf(() =>
    defineRule({
      name: "typo",
      hyperparameters: { learningRate: nonNegative(1) },
      slots: { m: 0 },
      perStep: "rate = learningRate * 2",
      perElement: "m = m + g\np = p - q * rate",
    }),
  );
  expect(code).toBe("RULE_SYNTAX");
  expect(message.split("known names: ")[1]).toMatch(/^p, g, m, weightDecay, learningRate, rate \(/);
});

describe("what defineRule returns", () => {
  const custom = defineRule({
    name: "custom",
    hyperparameters: { learningRate: nonNegative(1) },
    perElement: "p = p - g * learningRate",
  });

  test("is a rule", () => {
    const { rule } = custom;
    expect(custom.name).toBe("custom");
    expect(custom.variants()).toEqual(rule.variants());
    expect(custom.variant({ maximize: true })).toBe(rule.variant({ maximize: true }));
    for (const key of ["hyperparameters", "options", "structural", "specify"] as const)
      expect(custom[key]).toBe(rule[key]);
    expect(custom.extend({ name: "other", hyperparameters: {} }).name).toBe("other");
    expect(adamw.name).toBe("adamw");
    expect([rule.structural, rule.variant().matrices]).toEqual([[], "first"]);
    const { hyperparameters } = plain;
    const perElement = "p = p - meanRow(g) * learningRate";
    const last = defineRule({ name: "last", hyperparameters, matrices: "last", perElement });
    expect(last.variant().matrices).toBe("last");
  });

  test("passes checkRule, and what is not a rule does not", () => {
    for (const rule of [custom, custom.rule, adamw]) checkRule("test", rule);
    for (const rule of [undefined, null, "adam", custom(), {}, () => {}])
      expect(codeOf(() => checkRule("test", rule))).toBe("INVALID_RULE");
  });
});
