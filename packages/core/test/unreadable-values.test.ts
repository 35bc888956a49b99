import { describe, expect, test } from "vitest";
import { optimizerByName } from "../src/by-name.js";
import { fromKeras, fromTorch, toOptax, torchStep, toTorch } from "../src/interop/index.js";
import {
  adam,
  chain,
  clipByNorm,
  cosineDecay,
  createOptimizer,
  defineRule,
  defineStage,
  earlyStopping,
  hasNames,
  isGuarding,
  nonNegative,
  piecewiseConstant,
  reduceOnPlateau,
  show,
  variantOf,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { codeOf } from "./support.js";

/** Objects of which nothing can be read. */
function unreadable(): object[] {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const refuse = (): never => {
    throw new RangeError("not readable");
  };
  const traps = { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse };
  return [proxy, new Proxy({}, traps)];
}

const backend = reference();
const tensor = () => backend.tensor([2], [1, 2]);
const ones = Float32Array.of(1, 1);
const optimizer = createOptimizer(adam(), { w: tensor() });
const rows = optimizer.rows();
const rowSources = { count: 1, indices: Uint32Array.of(0) };
const plain = {
  name: "plain",
  hyperparameters: { learningRate: nonNegative(1) },
  perElement: "u = g * learningRate",
};

describe("a proxy that throws, or was revoked, is refused with a code", () => {
  test.each<[string, string, (value: never) => unknown]>([
    ["compile", "INVALID_RULE", (value) => backend.compile(value)],
    ["variantOf", "INVALID_RULE", (value) => variantOf(value)],
    ["defineRule", "INVALID_RULE", (value) => defineRule(value)],
    ["the rule of createOptimizer", "INVALID_RULE", (value) => createOptimizer(value, {})],
    ["its parameters", "INVALID_PARAMETER", (value) => createOptimizer(adam(), value)],
    ["a parameter", "INVALID_PARAMETER", (w) => createOptimizer(adam(), { w })],
    ["its options", "UNKNOWN_OPTION", (value) => createOptimizer(adam(), {}, value)],
    [
      "accumulate",
      "INVALID_HYPERPARAMETER",
      (accumulate) => createOptimizer(adam(), {}, { accumulate }),
    ],
    ["settings", "UNKNOWN_OPTION", (value) => adam(value)],
    ["a learning rate", "INVALID_HYPERPARAMETER", (learningRate) => adam({ learningRate })],
    ["a part of a chain", "INVALID_CHAIN", (value) => chain(clipByNorm(1), value)],
    ["options of a schedule", "UNKNOWN_OPTION", (value) => cosineDecay(0.1, 10, value)],
    ["options of a monitor", "UNKNOWN_OPTION", (value) => earlyStopping(value)],
    ["options of wrap", "UNKNOWN_OPTION", (value) => backend.wrap(new Float32Array(2), value)],
    ["memory to wrap", "INVALID_MEMORY", (value) => backend.wrap(value)],
    ["values to write", "INVALID_MEMORY", (value) => tensor().write(value)],
    ["the gradients of a step", "INVALID_GRADIENT", (value) => optimizer.step(value)],
    ["a gradient", "INVALID_GRADIENT", (w) => optimizer.step({ w })],
    ["options of a remap", "UNKNOWN_OPTION", (value) => rows.remap(Uint32Array.of(0), value)],
    [
      "flags of a remap",
      "INVALID_MEMORY",
      (resetRows) => rows.remap(Uint32Array.of(0), { resetRows }),
    ],
    [
      "a copy",
      "INVALID_PARAMETER",
      (w) => createOptimizer(adam(), { w: tensor() }, { copies: { w } }),
    ],
    [
      "an activation",
      "UNKNOWN_OPTION",
      (w) => createOptimizer(adam(), { w: tensor() }, { activatedGradients: { w } }),
    ],
    [
      "what a group matches",
      "UNKNOWN_OPTION",
      (match) => createOptimizer(adam(), { w: tensor() }, { groups: [{ match }] }),
    ],
    ["options of a step", "UNKNOWN_OPTION", (value) => optimizer.step({ w: ones }, value)],
    ["the rows of a step", "UNKNOWN_OPTION", (rows) => optimizer.step({ w: ones }, { rows })],
    ["a state", "STATE_MISMATCH", (value) => optimizer.restore(value)],
    ["optimizerByName", "UNKNOWN_RULE", (value) => optimizerByName(value)],
    ["toTorch", "UNKNOWN_RULE", (value) => toTorch(value)],
    ["toOptax", "UNKNOWN_RULE", (value) => toOptax(value)],
    ["groups", "UNKNOWN_OPTION", (groups) => createOptimizer(adam(), {}, { groups })],
    ["names to remove", "UNKNOWN_PARAMETER", (value) => optimizer.remove(value)],
    ["names to reset", "UNKNOWN_PARAMETER", (value) => optimizer.reset(value)],
    ["a shape", "INVALID_SHAPE", (value) => backend.tensor(value)],
    ["settings of a stage", "UNKNOWN_OPTION", (value) => clipByNorm(value)],
    ["boundaries", "INVALID_HYPERPARAMETER", (value) => piecewiseConstant(value, [1, 2])],
    ["a monitored optimizer", "INVALID_HYPERPARAMETER", (value) => reduceOnPlateau(value)],
    ["the optimizer of torchStep", "INVALID_PARAMETER", (value) => torchStep(value, {})],
    ["fromKeras", "UNKNOWN_OPTION", (value) => fromKeras(value)],
    ["betas", "INVALID_HYPERPARAMETER", (betas) => fromTorch("Adam", { lr: 0.1, betas })],
    ["lists of rows to move", "INVALID_PARAMETER", (moves) => backend.remap!(moves, rowSources)],
    ["kernels to run", "INVALID_PARAMETER", (runs) => backend.runTogether!(runs)],
    ["structural", "INVALID_RULE", (structural) => defineRule({ ...plain, structural })],
    ["choices", "INVALID_RULE", (mode) => defineRule({ ...plain, options: { mode } })],
    [
      "reads",
      "INVALID_RULE",
      (slots) => defineStage({ name: "s", perElement: "u = u * 2", reads: { slots } }),
    ],
    ["the source of copy", "INVALID_PARAMETER", (value) => backend.copy!(value, tensor())],
  ])("%s", (_, code, call) => {
    for (const value of unreadable()) expect(codeOf(() => call(value as never))).toBe(code);
  });
});

test("it is shown in a message, has no names and is no backend with a guard", () => {
  for (const value of unreadable()) {
    expect(show(value)).toBe("an object that cannot be read");
    expect(hasNames(value)).toBe(false);
    expect(isGuarding(value as never)).toBe(false);
  }
});

test("an error that a getter of the caller throws is passed on, and nothing changes", async () => {
  const w = tensor();
  const trained = createOptimizer(adam(), { w });
  trained.step({ w: ones });
  const state = await trained.state();
  const before = [await trained.state(), await w.read()];
  const own = new Error("of the caller");
  const throwing = (name: string): never =>
    Object.defineProperty({}, name, {
      enumerable: true,
      get() {
        throw own;
      },
    }) as never;
  for (const call of [
    () => trained.step(throwing("w")),
    () => trained.step({ w: ones }, throwing("learningRate")),
    () => trained.restore({ ...state, iterations: 7, slots: throwing("w") }),
    () => trained.restore({ ...state, iterations: 7, slots: { w: throwing("m") } }),
    () => trained.add(throwing("v")),
    () => trained.reset(["w"], throwing("rows")),
  ])
    expect(call).toThrow(own);
  expect([await trained.state(), await w.read()]).toEqual(before);
});
