import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  adabelief,
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ema,
  linear,
  muon,
  muonWithAdamw,
  sgd,
  type OptimizerConfig,
  type OptimizerSpec,
} from "../src/index.js";
import { fromOptax, toOptax } from "../src/interop/index.js";
import { reference } from "../src/reference.js";
import { codeOf } from "./support.js";

const shapes = { matrix: [4, 3], vector: [3] };

function configOf(spec: OptimizerSpec, options: object = {}): OptimizerConfig {
  const backend = reference();
  const tensors = Object.entries(shapes).map(([name, shape]) => [name, backend.tensor(shape)]);
  return createOptimizer(spec, Object.fromEntries(tensors), options).config();
}

interface Case {
  readonly optimizer: string;
  readonly config: Readonly<Record<string, unknown>>;
}

const files = ["optax", "optax-chains", "optax-contrib", "optax-muon", "optax-prodigy"];
const golden = files.flatMap((file) => {
  const url = new URL(`../../conformance/fixtures/${file}.json`, import.meta.url);
  const { cases } = JSON.parse(readFileSync(url, "utf8")) as { readonly cases: readonly Case[] };
  return cases.map(({ optimizer, config }) => [optimizer, config] as const);
});

describe("the reverse of fromOptax", () => {
  test.each(golden)("%s %j", (name, options) => {
    const config = configOf(fromOptax(name, options));
    const optax = toOptax(config);
    expect(configOf(fromOptax(optax.name, optax.options))).toEqual(config);
  });

  test.each(golden)("%s %j, under its own name", (name, options) => {
    const config = configOf(fromOptax(name, options));
    const optax = toOptax(config, { name });
    expect(optax.name).toBe(name);
    expect(configOf(fromOptax(name, optax.options))).toEqual(config);
    // The rate of the alias has both factors.
    if (/^adamw?\+scale$/.test(name)) return;
    const defined = Object.entries(optax.options).filter(([key]) => Object.hasOwn(options, key));
    const { max_consecutive_errors: _, ...others } = Object.fromEntries(defined);
    expect(others).toEqual(
      Object.fromEntries(Object.entries(options).filter(([key]) => Object.hasOwn(others, key))),
    );
  });
});

test("names are those of the alias, and options are complete", () => {
  expect(toOptax(configOf(fromOptax("nadamw", { learning_rate: 0.5 })))).toEqual({
    name: "adamw",
    options: {
      learning_rate: 0.5,
      b1: 0.9,
      b2: 0.999,
      eps: 1e-8,
      eps_root: 0,
      weight_decay: 1e-4,
      nesterov: true,
    },
  });
});

test("hyperparameters are those that were set last, also of AdamW with Muon", () => {
  const backend = reference();
  const tensors = { matrix: backend.tensor([2, 2]), vector: backend.tensor([2]) };
  const optimizer = createOptimizer(fromOptax("muon", { learning_rate: 0.5 }), tensors);
  optimizer.learningRate = 0.25;
  Object.assign(optimizer.groups[0], { learningRate: 0.125 });
  expect(toOptax(optimizer.config()).options).toMatchObject({
    learning_rate: 0.25,
    adam_learning_rate: 0.125,
  });
});

test("schedules stay schedules", () => {
  const learning_rate = linear(1, 0, 5);
  const name = "scale_by_adam+clip_by_block_rms+scale_by_schedule+scale";
  const spec = fromOptax(name, { threshold: 1, step_size_fn: learning_rate, step_size: -1 });
  expect(toOptax(configOf(spec)).options).toMatchObject({ learning_rate });
  expect(toOptax(configOf(spec), { name }).options).toMatchObject({
    step_size_fn: learning_rate,
    step_size: -1,
  });
});

test("fromOptax takes the data of schedules", () => {
  const data = { schedule: "linear", options: { from: 1, to: 0, steps: 4 } };
  const { learningRate } = fromOptax("adam", { learning_rate: data }).hyperparameters;
  expect((learningRate as ReturnType<typeof linear>).valueAt(1)).toBe(0.75);
});

test("inject_hyperparams does not change what is computed", () => {
  const options = { max_norm: 1, learning_rate: 0.5 };
  expect(configOf(fromOptax("clip_by_global_norm+inject_hyperparams+adam", options))).toEqual(
    configOf(fromOptax("clip_by_global_norm+adam", options)),
  );
  expect(codeOf(() => fromOptax("inject_hyperparams+clip+adam", {}))).toBe("INVALID_CHAIN");
  expect(codeOf(() => fromOptax("adam+inject_hyperparams", {}))).toBe("INVALID_CHAIN");
});

test("forms that only round otherwise, or that have no effect, are written", () => {
  const plain = adam({ epsilonMode: "paper", averageForm: "difference", amsgradOf: "raw" });
  expect(toOptax(configOf(plain)).name).toBe("adam");
  expect(toOptax(configOf(sgd({ momentum: 0.9 }))).options).toMatchObject({ momentum: 0.9 });
  expect(toOptax(configOf(sgd({}))).options).not.toHaveProperty("momentum");
  expect(toOptax(configOf(adamw({ weightDecay: 0, epsilon: 0 }))).name).toBe("adam");
});

test.each<[string, OptimizerSpec, object, RegExp]>([
  ["the place of ε", adam({}), {}, /epsilonMode is "keras", and "paper" in Optax/],
  [
    "AMSGrad of raw v",
    adam({ epsilonMode: "paper", amsgrad: true }),
    {},
    /amsgrad is true, and false/,
  ],
  ["a stage", chain(fromOptax("adam"), ema({})), {}, /the stage ema/],
  ["a rule", fromOptax("adam"), { groups: [{ match: ["vector"], learningRate: 1 }] }, /group 0/],
  ["a loss scale", fromOptax("adam"), { lossScale: 8 }, /lossScale/],
  [
    "a count of calls",
    fromOptax("adam"),
    { accumulate: 2, schedulesCount: "calls" },
    /schedulesCount is "calls"/,
  ],
  ["steps of rows", fromOptax("adam"), { sparse: "lazy", rowSteps: true }, /rowSteps/],
  ["Muon without AdamW", muon(), {}, /no group with AdamW/],
  [
    "Muon with another AdamW",
    muonWithAdamw({ adamw: { amsgrad: true } }),
    {},
    /AdamW: amsgrad is true, and false in Optax/,
  ],
  ["an exception", fromOptax("adam"), { nonFinite: "throw" }, /nonFinite/],
  ["a scheduled β₁", adabelief({ beta1: linear(0.9, 0.8, 9) }), {}, /beta1 follows a schedule/],
  [
    "momentum of scheduled gradients",
    sgd({ momentum: 0.9, learningRate: linear(1, 0, 4) }),
    {},
    /momentumForm is "keras", and "torch"/,
  ],
  ["l2 where decay is decoupled", adamw({ epsilonMode: "paper", amsgrad: true }), {}, /amsgrad/],
])("%s has no counterpart", (_, spec, options, message) => {
  const config = configOf(spec, options);
  expect(codeOf(() => toOptax(config))).toBe("UNSUPPORTED");
  expect(() => toOptax(config)).toThrow(message);
});

test("all misfits are in one error", () => {
  const spec = chain(clipByGlobalNorm(1), adam({}), ema({}));
  const config = configOf(spec, { lossScale: 2 });
  expect(() => toOptax(config)).toThrow(/lossScale.*ema.*epsilonMode.*fromOptax\("/);
});
