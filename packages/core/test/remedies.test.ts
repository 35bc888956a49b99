import { describe, expect, test } from "vitest";
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  defineRule,
  nonNegative,
  reduceOnPlateau,
  type OptimizerSpec,
} from "../src/index.js";
import { fromKeras, fromTorch, toOptax, toTorch } from "../src/interop/index.js";
import { reference } from "../src/reference.js";

const backend = reference();
const make = (options?: object) =>
  createOptimizer(adam(), { w: backend.tensor([2, 2]) }, options as never);
const values = new Float32Array(4);
/** A call as JavaScript allows it. */
const untyped = (target: unknown, name: string, ...args: unknown[]): unknown =>
  (target as Record<string, (...all: unknown[]) => unknown>)[name](...args);

describe("a wrong call says what to do", () => {
  test.each<[string, () => unknown, string]>([
    [
      "gradients without a name",
      () => untyped(make(), "step", values),
      "such as { kernel: gradient }",
    ],
    [
      "a promise of gradients",
      () => untyped(make(), "step", Promise.resolve({ w: values })),
      "Got a Promise",
    ],
    ["a map of gradients", () => untyped(make(), "step", new Map([["w", values]])), "Got a Map"],
    [
      "a promise of a gradient",
      () => untyped(make(), "step", { w: Promise.resolve() }),
      "Await it.",
    ],
    [
      "a gradient of another backend of the same kind",
      () => make().step({ w: reference().tensor([2, 2]) }),
      "is a tensor of another backend (reference)",
    ],
    [
      "a buffer as the indices of a remap",
      () => untyped(make().rows(), "remap", new ArrayBuffer(8)),
      'backend.wrap(buffer, { shape, dtype: "u32" })',
    ],
    [
      "a buffer as the number of rows",
      () => untyped(make().rows(), "remap", Uint32Array.of(0), { count: new ArrayBuffer(4) }),
      'or a u32 tensor. Make a tensor of it with backend.wrap(buffer, { shape, dtype: "u32" })',
    ],
    [
      "gradients in integers",
      () => untyped(make(), "step", { w: new Int32Array(4) }),
      "pass backend.wrap(values, { scale })",
    ],
    [
      "integers without a scale",
      () => make().step({ w: backend.wrap(new Uint32Array(4), { shape: [2, 2] }) }),
      "is a u32 tensor of scale 1, as masks are",
    ],
    [
      "an option of the optimizer",
      () => adam({ accumulate: 2 } as never),
      "createOptimizer(adam(), parameters, { accumulate: … })",
    ],
    ["a setting of the rule", () => make({ learningRate: 0.1 }), "Pass it to the rule"],
    ["an unknown choice", () => make({ nonFinite: "ignore" }), '"propagate", "skip" or "throw"'],
    [
      "a name and a tensor to add",
      () => untyped(make(), "add", "v", backend.tensor([2])),
      'Got "v" as parameters',
    ],
    [
      "a step count that is set",
      () => Object.assign(make(), { iterations: 5 }),
      '"iterations" cannot be set',
    ],
    [
      "groups that are replaced",
      () => Object.assign(make(), { groups: [] }),
      '"groups" cannot be set',
    ],
    [
      "a promise of a backend's tensor",
      () => createOptimizer(adam(), { w: Promise.resolve() } as never),
      "Await the backend",
    ],
    [
      "a variable of TensorFlow.js",
      () => createOptimizer(adam(), { w: { dataId: {} } } as never),
      "use an optimizer of @gradstep/tfjs",
    ],
    [
      "memory that is no tensor yet",
      () => createOptimizer(adam(), { w: new ArrayBuffer(16) } as never),
      "backend.wrap(buffer, { shape })",
    ],
    [
      "memory in place of a gradient",
      () => untyped(make(), "step", { w: new ArrayBuffer(16) }),
      "backend.wrap(buffer, { shape: [2, 2] })",
    ],
    [
      "a stored schedule",
      () => adam({ learningRate: { schedule: "constant", options: { value: 1 } } as never }),
      "is the data of a schedule",
    ],
    [
      "a tensor of another type in place of a mask",
      () => untyped(make(), "step", { w: values }, { rows: { w: backend.tensor([2]) } }),
      "is a tensor of f32; expected a Uint32Array",
    ],
    [
      "memory in place of a mask",
      () => untyped(make(), "step", { w: values }, { rows: new ArrayBuffer(8) }),
      'backend.wrap(buffer, { shape, dtype: "u32" })',
    ],
    [
      "memory in place of the mask of a parameter",
      () => untyped(make(), "step", { w: values }, { rows: { w: new ArrayBuffer(8) } }),
      'backend.wrap(buffer, { shape: [2], dtype: "u32" })',
    ],
    [
      "rows in place of values",
      () =>
        backend.tensor([2, 2], [
          [1, 2],
          [3, 4],
        ] as never),
      "values.flat()",
    ],
    [
      "a number as text for a stage",
      () => clipByGlobalNorm("1"),
      "a number, or settings by name, such as { globalClipNorm: … }",
    ],
    [
      "a list of parts",
      () => chain([clipByGlobalNorm(1), adam()] as never),
      "each called and as an argument of its own",
    ],
    [
      "no optimizer to watch",
      () => reduceOnPlateau(undefined as never),
      "got undefined as the optimizer",
    ],
    [
      "a mask of another length",
      () => make().step({ w: values }, { rows: new Uint32Array(3) }),
      "subarray()",
    ],
    [
      "what a rule returned, as a configuration",
      () => toTorch(adam() as never),
      "optimizer.config()",
    ],
    ["an optimizer, as a configuration", () => toOptax(make() as never), "optimizer.config()"],
    [
      "a scheduler without an argument that PyTorch needs",
      () => fromTorch("SGD", { lr: 0.1 }, { scheduler: { name: "StepLR" } }),
      "PyTorch's StepLR: step_size is missing",
    ],
    ["a configuration of Keras as text", () => fromKeras("{}" as never), "JSON.parse()"],
  ])("%s", (_, call, remedy) => {
    expect(call).toThrow(expect.objectContaining({ message: expect.stringContaining(remedy) }));
  });

  test("groups are read as before", () => {
    const optimizer = make({ groups: [{ match: "w", learningRate: 0.5 }] });
    expect(optimizer.groups.map(({ parameters }) => parameters)).toEqual([["w"]]);
  });
});

test.each([
  ["u = Math.sqrt(abs(g))", "sqrt(x), not Math.sqrt(x)"],
  ["u = g > 0 && g < 1 ? g : 0", "write a ? (b ? x : y) : y"],
  ["u = g ^ 2", "Write x * x"],
  ["# a comment", '"//"'],
  ["let a = g\nu = a", "without a keyword"],
  ["if (g > 0) u = g", "u = condition ? x : y"],
  ["u += g", "write u = u + x"],
  ["u = pow(g, 2)", "Write x * x"],
  ["u = log(g)", "no logarithm"],
  ["u = g / t", "perStep"],
])("%j in a rule says how to write it", (perElement, remedy) => {
  const define = (): OptimizerSpec =>
    defineRule({
      name: "mine",
      hyperparameters: { learningRate: nonNegative(0.1) },
      perElement,
    })();
  expect(define).toThrow(
    expect.objectContaining({ code: "RULE_SYNTAX", message: expect.stringContaining(remedy) }),
  );
});

test("what depends on elements has no place in perStep", () => {
  expect(() =>
    defineRule({
      name: "mine",
      hyperparameters: { learningRate: nonNegative(0.1) },
      perStep: "a = g",
      perElement: "u = g * a",
    }),
  ).toThrow("What depends on elements is for perElement");
});
