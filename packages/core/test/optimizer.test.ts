import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { anything, codeOf, failureOf } from "./support.js";

describe("an optimizer from creation to disposal", () => {
  test("updates caller-owned and backend memory, follows a new rate, and frees its slots", async () => {
    const backend = reference();
    const memory = Float32Array.of(1, 2, 3, 4);
    const kernel = backend.wrap(memory, { shape: [2, 2] });
    const bias = backend.tensor([2]);
    const optimizer = createOptimizer(sgd({ learningRate: 0.5 }), { kernel, bias });
    expect(optimizer.parameters).toEqual(["kernel", "bias"]);
    expect(optimizer.iterations).toBe(0);

    optimizer.step({ kernel: Float32Array.of(1, 1, 2, 2), bias: backend.tensor([2], [4, -4]) });
    expect([...memory]).toEqual([0.5, 1.5, 2, 3]);
    expect([...(await bias.read())]).toEqual([-2, 2]);

    optimizer.learningRate = 0.25;
    expect(optimizer.learningRate).toBe(0.25);
    optimizer.step({ kernel: Float32Array.of(4, 4, 4, 4) });
    expect([...memory]).toEqual([-0.5, 0.5, 1, 2]);
    expect([...(await bias.read())]).toEqual([-2, 2]);
    expect(optimizer.iterations).toBe(2);

    optimizer.dispose();
    optimizer.dispose();
    expect(kernel.freed).toBe(false);
    expect(codeOf(() => optimizer.step({ kernel: memory.slice() }))).toBe("DISPOSED");
    expect(codeOf(() => optimizer.add({}))).toBe("DISPOSED");
    expect(codeOf(() => optimizer.config())).toBe("DISPOSED");
    await expect(optimizer.state()).rejects.toMatchObject({ code: "DISPOSED" });
    expect(codeOf(() => optimizer.restore(anything(null)))).toBe("DISPOSED");
  });

  test("each hyperparameter can be read and set, within its range", () => {
    const optimizer = createOptimizer(adam(), { w: reference().tensor([1]) });
    expect(Object.keys(optimizer)).toEqual(
      expect.arrayContaining(["learningRate", "beta1", "beta2", "epsilon", "weightDecay"]),
    );
    optimizer.beta1 = 0.5;
    optimizer.weightDecay = 0.01;
    expect(optimizer.config().settings).toMatchObject({ beta1: 0.5, weightDecay: 0.01 });
    for (const value of [1, 1.5, -0.1, Number.NaN, null, "0.5", undefined]) {
      expect(codeOf(() => (optimizer.beta1 = anything(value)))).toBe("INVALID_HYPERPARAMETER");
    }
    expect(codeOf(() => (optimizer.learningRate = -1))).toBe("INVALID_HYPERPARAMETER");
    expect(optimizer.beta1).toBe(0.5);
  });

  test("setting a property that does not exist is refused, and lists those that do", () => {
    const optimizer = createOptimizer(adam(), { w: reference().tensor([1]) });
    const { code, message } = failureOf(() => (anything<{ lr: number }>(optimizer).lr = 1));
    expect(code).toBe("UNKNOWN_OPTION");
    expect(message).toContain('"lr"');
    expect(message).toContain("learningRate, beta1, beta2, epsilon");
    expect("lr" in optimizer).toBe(false);
    expect(Object.keys(optimizer)).toContain("learningRate");
    expect(Object.hasOwn(optimizer, "lr")).toBe(false);
  });

  test("a step without parameters says so", () => {
    const { code, message } = failureOf(() => createOptimizer(adam(), {}).step({}));
    expect(code).toBe("INVALID_GRADIENT");
    expect(message).toContain("optimizer.add()");
  });

  test("what is not a gradient is refused with advice that fits it", () => {
    const optimizer = createOptimizer(adam(), { w: reference().tensor([2]) });
    const message = (w: unknown): string =>
      failureOf(() => optimizer.step(anything({ w }))).message;
    expect(message([1, 2])).toContain("Convert it with new Float32Array(values).");
    expect(message(new Float64Array(2))).toContain("Convert it with new Float32Array(values).");
    expect(message(new Map())).toContain("backend.wrap(memory)");
    expect(message(new ArrayBuffer(8))).toMatch(
      /^Gradient "w" is an ArrayBuffer; expected .* Make a tensor of it with backend\.wrap\(buffer, \{ shape: \[2\] \}\)\.$/,
    );
  });

  test("a parameter of another backend object of the same kind is refused with advice", () => {
    const parameters = { a: reference().tensor([1]), b: reference().tensor([1]) };
    const { code, message } = failureOf(() => createOptimizer(adam(), parameters));
    expect(code).toBe("INVALID_PARAMETER");
    expect(message).toMatch(/another backend.*Create the backend once/);
  });

  test("a parameter whose buffer was transferred is not said to be freed", () => {
    const array = new Float32Array(2);
    const w = reference().wrap(array);
    const optimizer = createOptimizer(sgd(), { w });
    structuredClone(array, { transfer: [array.buffer] });
    const { code, message } = failureOf(() => optimizer.step({ w: new Float32Array(2) }));
    expect(code).toBe("DISPOSED");
    expect(message).toContain("transferred or resized");
    expect(message).not.toContain("freed");
    expect(optimizer.iterations).toBe(0);
  });

  test("momentum that was 0 at first stays 0", () => {
    const optimizer = createOptimizer(sgd(), { w: reference().tensor([1]) });
    expect(codeOf(() => (optimizer.momentum = 0.9))).toBe("INVALID_HYPERPARAMETER");
    optimizer.momentum = 0;
    const other = createOptimizer(sgd({ momentum: 0.9 }), { w: reference().tensor([1]) });
    other.momentum = 0;
    other.momentum = 0.5;
    expect(other.momentum).toBe(0.5);
  });

  test("one spec serves many optimizers", () => {
    const spec = sgd({ learningRate: 0.5 });
    const memory = [Float32Array.of(1), Float32Array.of(1)];
    const [one, other] = memory.map((values) =>
      createOptimizer(spec, { w: reference().wrap(values) }),
    );
    one.learningRate = 0.25;
    one.step({ w: Float32Array.of(1) });
    other.step({ w: Float32Array.of(1) });
    expect(memory.map(([value]) => value)).toEqual([0.75, 0.5]);
  });

  test("wrapped values may start anywhere in an array", () => {
    const memory = Float32Array.of(9, 1, 2, 9);
    const w = reference().wrap(memory, { offset: 1, shape: [2] });
    createOptimizer(sgd({ learningRate: 1 }), { w }).step({ w: Float32Array.of(1, 1) });
    expect([...memory]).toEqual([9, 0, 1, 9]);
  });
});

describe("specs and options are refused", () => {
  const w = (): { w: Tensor } => ({ w: reference().tensor([1]) });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a name", "adam"],
    ["the rule itself", adam.rule],
    ["the factory", adam],
    ["half a spec", { rule: {} }],
  ])("%s as a spec", (_, spec) => {
    expect(codeOf(() => createOptimizer(anything<OptimizerSpec>(spec), w()))).toBe("INVALID_RULE");
  });

  test.each([
    ["a hyperparameter of NaN", { hyperparameters: { learningRate: Number.NaN } }],
    ["a choice that is none", { options: { amsgrad: "maybe" } }],
  ])("a spec with %s", (_, changes) => {
    expect(
      codeOf(() => createOptimizer(anything<OptimizerSpec>({ ...adam(), ...changes }), w())),
    ).toBe("INVALID_HYPERPARAMETER");
  });

  test.each([
    ["an unknown hyperparameter", { hyperparameters: { momentum: 0 } }],
    ["an unknown option", { options: { centered: true } }],
    ["groups that are no list", { groups: {} }],
  ])("a spec with %s", (_, changes) => {
    expect(
      codeOf(() => createOptimizer(anything<OptimizerSpec>({ ...adam(), ...changes }), w())),
    ).toBe("UNKNOWN_OPTION");
  });

  test("options that a spec leaves out have their defaults", () => {
    const { rule } = adam();
    expect(createOptimizer(anything<ReturnType<typeof adam>>({ rule }), w()).beta1).toBe(0.9);
  });

  test.each([null, 5, { copy: {} }, { groups: [] }])("case %# as options of add", (options) => {
    const optimizer = createOptimizer(adam(), w());
    expect(codeOf(() => optimizer.add({ v: w().w }, anything(options)))).toBe("UNKNOWN_OPTION");
    expect(optimizer.parameters).toEqual(["w"]);
  });

  test("a Map in place of settings", () => {
    expect(codeOf(() => adam(anything(new Map([["learningRate", 1]]))))).toBe("UNKNOWN_OPTION");
  });

  test.each([null, 5, "groups", { group: [] }, { groups: null }, { groups: {} }, { groups: "w" }])(
    "case %# as options",
    (options) => {
      expect(codeOf(() => createOptimizer(adam(), w(), anything<object>(options)))).toBe(
        "UNKNOWN_OPTION",
      );
    },
  );
});
