import { expect, test } from "vitest";
import { hasEffect, kerasSlot, torchSlots } from "../src/interop/index.js";
import { rules } from "../src/rules/index.js";

test.each<[rule: string, slots: Record<string, string>]>([
  ["sgd", { momentum_buffer: "m" }],
  ["adam", { exp_avg: "m", exp_avg_sq: "v", max_exp_avg_sq: "vMax" }],
  ["adamw", { exp_avg: "m", exp_avg_sq: "v", max_exp_avg_sq: "vMax" }],
  ["adamax", { exp_avg: "m", exp_inf: "norm" }],
  ["nadam", { exp_avg: "m", exp_avg_sq: "v" }],
  ["radam", { exp_avg: "m", exp_avg_sq: "v" }],
  ["adagrad", { sum: "a" }],
  ["adafactor", { row_var: "r", col_var: "c", variance: "r" }],
  ["muon", { momentum_buffer: "m" }],
  ["rmsprop", { square_avg: "v", grad_avg: "a", momentum_buffer: "m" }],
  ["adadelta", { square_avg: "v", acc_delta: "d" }],
  ["lion", {}],
  ["toString", {}],
])("what PyTorch keeps for %s", (rule, slots) => {
  expect(torchSlots(rule)).toEqual(slots);
  const variants = rules.find(({ name }) => name === rule)?.variants() ?? [];
  const names = new Set(variants.flatMap((variant) => variant.slots.map(({ name }) => name)));
  for (const slot of Object.values(slots)) expect(names).toContain(slot);
});

test.each<[rule: string, name: string, slot: string, factor: number]>([
  ["adam", "momentum", "m", 1],
  ["adam", "velocity", "v", 1],
  ["adam", "velocity_hat", "vMax", 1],
  ["adam+ema", "average", "ema", 1],
  ["adamax", "norm", "norm", 1],
  ["adagrad", "accumulator", "a", 1],
  ["rmsprop", "average_gradient", "a", 1],
  ["adadelta", "accumulated_grad", "v", 1],
  ["adadelta", "accumulated_delta_var", "d", 1],
  ["ftrl", "linear", "z", 1],
  // Keras subtracts in the momentum of SGD, and of no other optimizer.
  ["sgd", "momentum", "m", -1],
  ["sgd+ema", "momentum", "m", -1],
  ["sgd+ema", "average", "ema", 1],
  ["rmsprop", "momentum", "m", 1],
  // In place of a momentum, Keras keeps the iterate of gradient descent.
  ["schedule-free-adamw", "momentum", "z", 1],
  ["schedule-free-adamw", "velocity", "v", 1],
  ["clip-by-norm+schedule-free-adamw", "momentum", "z", 1],
])("for %s, Keras's %s is the slot %s times %f", (rule, name, slot, factor) => {
  expect(kerasSlot(rule, name)).toEqual({ slot, factor });
});

test.each(["learning_rate", "toString", ""])("Keras's %j is no slot", (name) => {
  expect(kerasSlot("adam", name)).toBe(undefined);
});

test.each<[option: string, choices: Record<string, unknown>, values: object, expected: boolean]>([
  ["averageForm", {}, {}, false],
  ["productIn", {}, {}, false],
  ["weightDecayMode", {}, { weightDecay: 0 }, false],
  ["weightDecayMode", {}, { weightDecay: 0.1 }, true],
  ["epsilonMode", {}, { epsilon: 0 }, false],
  ["epsilonMode", {}, { epsilon: 1e-8 }, true],
  ["momentumForm", {}, { momentum: 0 }, false],
  ["nesterov", {}, { momentum: 0.9 }, true],
  ["dampening", {}, { momentum: 0 }, false],
  ["amsgradOf", { amsgrad: false }, {}, false],
  ["amsgradOf", { amsgrad: true }, {}, true],
  ["rmsRate", { adjust: "original" }, {}, false],
  ["rmsRate", { adjust: "rms" }, {}, true],
  ["beta2", { secondMoments: "none" }, {}, false],
  ["beta2", { secondMoments: "neurons" }, {}, true],
  ["learningRate", {}, {}, true],
])("%s, with %o and %o, has an effect: %s", (option, choices, values, expected) => {
  expect(hasEffect(option, choices, [values as Record<string, unknown>])).toBe(expected);
});

test("an option has an effect if it has one in some group", () => {
  const groups = [{ momentum: 0 }, { momentum: 0.5 }];
  expect(hasEffect("nesterov", {}, groups)).toBe(true);
});
