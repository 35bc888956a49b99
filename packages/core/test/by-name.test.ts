import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import * as core from "../src/index.js";
import { reference } from "../src/reference.js";
import { rules } from "../src/rules/index.js";
import { adam, chain, clipByGlobalNorm, createOptimizer, ema } from "../src/index.js";
import { anything, codeOf, failureOf } from "./support.js";

const factories: Readonly<Record<string, (settings: object) => core.OptimizerSpec>> =
  anything(core);

/** What core exports for a rule: `scheduleFreeSgd` for `schedule-free-sgd`. */
function factoryOf(name: string): (settings: object) => core.OptimizerSpec {
  return factories[name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
}

describe("optimizerByName", () => {
  test("knows every rule that core exports, and core exports every rule", () => {
    for (const rule of rules) {
      expect(optimizerByName(rule.name).rule).toBe(rule);
      expect(factoryOf(rule.name)({}).rule).toBe(rule);
    }
  });

  test("returns what the factory returns, for any settings", () => {
    const settingsOf = fc.constantFrom(...rules).chain((rule) => {
      const numbers = Object.entries(rule.hyperparameters).map(([key, { max, below }]) => {
        const greatest = max ?? (below === undefined ? 1e6 : below);
        return [
          key,
          fc.double({ min: 0, max: greatest, maxExcluded: below !== undefined, noNaN: true }),
        ];
      });
      const choices = Object.entries(rule.options).map(([key, values]) => [
        key,
        fc.constantFrom(...values),
      ]);
      const table = Object.fromEntries([...numbers, ...choices]) as Record<
        string,
        fc.Arbitrary<unknown>
      >;
      return fc.tuple(fc.constant(rule.name), fc.record(table, { requiredKeys: [] }));
    });
    fc.assert(
      fc.property(settingsOf, ([name, settings]) => {
        const spec = optimizerByName(name, settings);
        expect(spec).toEqual(factoryOf(name)(settings));
        expect({ ...spec.hyperparameters, ...spec.options }).toMatchObject(settings);
      }),
    );
  });

  test("a stage by itself is no rule", () => {
    expect(codeOf(() => optimizerByName("ema"))).toBe("UNKNOWN_RULE");
    expect(optimizerByName("sgd+ema").rule.name).toBe("sgd+ema");
  });

  test("settings given with a configuration override it", () => {
    const config = { name: "adam", settings: { learningRate: 0.5, beta1: 0.5 }, groups: [] };
    expect(optimizerByName(config, { learningRate: 0.25 }).hyperparameters).toMatchObject({
      learningRate: 0.25,
      beta1: 0.5,
    });
  });

  test("a configuration may be short", () => {
    expect(optimizerByName(anything({ name: "adam" }))).toEqual(core.adam());
    expect(optimizerByName(anything({ name: "adam", settings: { beta1: 0.5 } }))).toEqual(
      core.adam({ beta1: 0.5 }),
    );
  });

  test("finds rules and chains of one's own, and in groups", () => {
    const halved = core.defineStage({ name: "halved", perElement: "u = u * 0.5" });
    const own = core.chain(core.adam(), halved());
    const name = "adam+halved";
    expect(codeOf(() => optimizerByName(name))).toBe("UNKNOWN_RULE");
    expect(optimizerByName(name, { beta1: 0.5 }, [own.rule]).rule).toBe(own.rule);
    const w = reference().tensor([1]);
    const config = core
      .createOptimizer(own, { w }, { groups: [{ match: "w", rule: own }] })
      .config();
    expect(optimizerByName(config, {}, [own.rule]).groups[0].rule!.rule).toBe(own.rule);
  });

  const loop: Record<string, unknown> = {};
  loop.name = loop;
  test.each([
    ["Adam", {}, "UNKNOWN_RULE"],
    ["", {}, "UNKNOWN_RULE"],
    ["constructor", {}, "UNKNOWN_RULE"],
    [null, {}, "UNKNOWN_RULE"],
    [undefined, {}, "UNKNOWN_RULE"],
    [5, {}, "UNKNOWN_RULE"],
    [{}, {}, "UNKNOWN_RULE"],
    [[], {}, "UNKNOWN_RULE"],
    [loop, {}, "UNKNOWN_RULE"],
    [{ name: { name: "adam" } }, {}, "UNKNOWN_RULE"],
    [{ name: "adam", hyperparameters: {} }, {}, "UNKNOWN_OPTION"],
    [{ name: "adam", settings: { lr: 1 } }, {}, "UNKNOWN_OPTION"],
    [{ name: "adam", groups: {} }, {}, "UNKNOWN_OPTION"],
    [{ name: "adam", groups: null }, {}, "UNKNOWN_OPTION"],
    [{ name: "adam", groups: [1] }, {}, "UNKNOWN_OPTION"],
    ["adam", { lr: 1 }, "UNKNOWN_OPTION"],
    ["adam", null, "UNKNOWN_OPTION"],
    ["adam", 5, "UNKNOWN_OPTION"],
    ["adam", { learningRate: -1 }, "INVALID_HYPERPARAMETER"],
    ["adam", { amsgrad: "yes" }, "INVALID_HYPERPARAMETER"],
  ])("case %# is refused", (name, settings, code) => {
    expect(codeOf(() => optimizerByName(anything(name), anything(settings)))).toBe(code);
  });
});

describe("config", () => {
  test("is plain data with the current settings, and makes an equal optimizer", () => {
    const backend = reference();
    const parameters = (): Record<string, core.Tensor> => ({
      kernel: backend.tensor([2]),
      bias: backend.tensor([2]),
    });
    const optimizer = core.createOptimizer(
      core.rmsprop({ momentum: 0.5, centered: true }),
      parameters(),
      { groups: [{ match: /bias/g, weightDecay: 0, rho: 0.5 }] },
    );
    optimizer.learningRate = 0.25;
    optimizer.groups[0].rho = 0.75;
    const config = optimizer.config();
    expect(config).toEqual({
      name: "rmsprop",
      settings: {
        learningRate: 0.25,
        rho: 0.9,
        momentum: 0.5,
        epsilon: 1e-7,
        weightDecay: 0,
        weightDecayMode: "decoupled",
        maximize: false,
        centered: true,
        epsilonMode: "inside",
        momentumForm: "keras",
        averageForm: "difference",
      },
      groups: [{ match: ["bias"], weightDecay: 0, rho: 0.75 }],
    });
    const copy = JSON.parse(JSON.stringify(config)) as core.OptimizerConfig;
    const again = core.createOptimizer(optimizerByName(copy), parameters());
    expect(again.config()).toEqual(config);
    expect(again.groups[0]).toMatchObject({ parameters: ["bias"], learningRate: 0.25, rho: 0.75 });
  });

  test("remembers the slot of a momentum that was set to 0", async () => {
    const w = reference().tensor([2]);
    const optimizer = core.createOptimizer(core.sgd({ momentum: 0.9 }), { w });
    optimizer.step({ w: Float32Array.of(1, 2) });
    expect(optimizer.config()).not.toHaveProperty("structural");
    optimizer.momentum = 0;
    const config = optimizer.config();
    expect(config.structural).toEqual(["momentum"]);
    const again = core.createOptimizer(optimizerByName(config), { w });
    again.restore(await optimizer.state());
    expect(await again.state()).toEqual(await optimizer.state());
    expect(again.config()).toEqual(config);
    for (const structural of [["rho"], "momentum", [1]]) {
      const make = (): unknown =>
        core.createOptimizer(optimizerByName({ ...config, structural: anything(structural) }), {
          w,
        });
      expect(codeOf(make)).toBe("UNKNOWN_OPTION");
    }
  });

  test.each(rules.map(({ name }) => name))("of %s has the settings it was made with", (name) => {
    const spec = optimizerByName(name);
    const config = core.createOptimizer(spec, {}).config();
    expect(optimizerByName(config)).toEqual(spec);
  });
});

describe("a chain by name", () => {
  test("makes the chain again from its configuration", async () => {
    const p = reference().tensor([2]);
    const spec = chain(clipByGlobalNorm(0.5), adam({ amsgrad: true }), ema(0.9));
    const config = createOptimizer(
      spec,
      { p },
      { groups: [{ match: "p", learningRate: 0.1 }] },
    ).config();
    expect(config.name).toBe("clip-by-global-norm+adam+ema");
    const again = optimizerByName(structuredClone(config));
    expect(again.hyperparameters).toEqual(spec.hyperparameters);
    expect(again.options).toEqual(spec.options);
    expect(again.rule.variant(again.options).perElement.fingerprint).toBe(
      spec.rule.variant(spec.options).perElement.fingerprint,
    );
    expect(createOptimizer(again, { p }).config()).toEqual(config);
  });

  test.each([
    ["clip-by-global-norm+sgdm", "UNKNOWN_RULE"],
    ["adam+clip-by-global-norm", "INVALID_CHAIN"],
    ["ema", "UNKNOWN_RULE"],
  ])("%s is refused", (name, code) => {
    expect(failureOf(() => optimizerByName(name)).code).toBe(code);
  });
});
