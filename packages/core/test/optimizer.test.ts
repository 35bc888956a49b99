import { describe, expect, test } from "vitest";
import type { Backend, Tensor, Update } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { adagrad } from "../src/rules/adagrad.js";
import { adam } from "../src/rules/adam.js";
import { nadam } from "../src/rules/nadam.js";
import { sgd } from "../src/rules/sgd.js";
import type { OptimizerSpec } from "../src/rule/rule.js";
import { anything, bits, codeOf, failureOf, numbers } from "./support.js";

/** Everything that a step can change, as comparable data. */
async function everything(
  optimizer: Optimizer<never>,
  parameters: Readonly<Record<string, Tensor>>,
): Promise<unknown> {
  const { slots, ...rest } = await optimizer.state();
  const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
  return {
    ...rest,
    slots: Object.values(slots).map((own) => Object.values(own).map(bits)),
    values: values.map(bits),
  };
}

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

describe("removed parameters", () => {
  test("free their slots; the others keep state and step number", () => {
    const backend = reference();
    const [a, b] = [Float32Array.of(0), Float32Array.of(0)];
    const spec = sgd({ learningRate: 1, momentum: 0.5 });
    const optimizer = createOptimizer(
      spec,
      { a: backend.wrap(a), b: backend.wrap(b) },
      { groups: [{ match: "a", learningRate: 2 }] },
    );
    optimizer.step({ a: Float32Array.of(1), b: Float32Array.of(1) });
    optimizer.remove("a");
    expect(optimizer.parameters).toEqual(["b"]);
    expect(optimizer.groups[0].parameters).toEqual([]);
    optimizer.step({ b: Float32Array.of(1) });
    expect(optimizer.iterations).toBe(2);
    expect([a[0], b[0]]).toEqual([-2, -2.5]);
    expect(codeOf(() => optimizer.step({ a: Float32Array.of(1) }))).toBe("UNKNOWN_PARAMETER");
    // Added again under the same name, it has no momentum.
    optimizer.add({ a: backend.wrap(a) });
    optimizer.step({ a: Float32Array.of(1) });
    expect(a[0]).toBe(-4);
  });

  test("are checked before any is removed", () => {
    const backend = reference();
    const optimizer = createOptimizer(sgd(), { a: backend.tensor([1]), b: backend.tensor([1]) });
    expect(codeOf(() => optimizer.remove(anything(["a", "c"])))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.remove([]))).toBe("UNKNOWN_PARAMETER");
    expect(optimizer.parameters).toEqual(["a", "b"]);
    optimizer.remove(["b", "a"]);
    expect(optimizer.parameters).toEqual([]);
    optimizer.dispose();
    expect(codeOf(() => optimizer.remove("a"))).toBe("DISPOSED");
  });
});

describe("parameters that are added later", () => {
  test("share the step number and have new slots", () => {
    const backend = reference();
    const [first, late] = [Float32Array.of(1), Float32Array.of(1)];
    const optimizer = createOptimizer(adagrad({ initialAccumulatorValue: 0.5 }), {
      first: backend.wrap(first),
    });
    optimizer.step({ first: Float32Array.of(1) });
    const grown = optimizer.add({ late: backend.wrap(late) });
    expect(grown).toBe(optimizer);
    expect(optimizer.parameters).toEqual(["first", "late"]);
    grown.step({ late: Float32Array.of(2) });
    expect(optimizer.iterations).toBe(2);
    expect(late[0]).toBeCloseTo(1 - (2 * 0.001) / Math.sqrt(4.5 + 1e-7), 6);
  });

  test("have the bias correction of the current step", () => {
    const values = Float64Array.of(1);
    const backend = oracle();
    const spec = adam({ epsilonMode: "paper", epsilon: 0 });
    const optimizer = createOptimizer(spec, { first: backend.tensor([1]) });
    for (let i = 0; i < 4; i += 1) optimizer.step({ first: Float64Array.of(1) });
    const grown = optimizer.add({ late: backend.wrap(values) });
    grown.step({ late: Float64Array.of(1) });
    const rate = (0.001 * Math.sqrt(1 - 0.999 ** 5)) / (1 - 0.9 ** 5);
    expect(values[0]).toBeCloseTo(1 - (rate * 0.1) / Math.sqrt(0.001), 12);
  });

  test("may be the first", () => {
    const memory = Float32Array.of(1);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), {});
    expect(codeOf(() => optimizer.step({}))).toBe("INVALID_GRADIENT");
    optimizer.add({});
    optimizer.add({ w: reference().wrap(memory) });
    optimizer.step({ w: Float32Array.of(1) });
    expect(memory[0]).toBe(0);
  });

  test("are checked against the current ones", () => {
    const backend = reference();
    const memory = new Float32Array(8);
    const optimizer = createOptimizer(sgd(), { w: backend.wrap(memory, { shape: [4] }) });
    expect(codeOf(() => optimizer.add({ w: backend.tensor([1]) }))).toBe("INVALID_PARAMETER");
    expect(codeOf(() => optimizer.add({ v: reference().tensor([1]) }))).toBe("INVALID_PARAMETER");
    const overlapping = backend.wrap(memory, { offset: 3, shape: [2] });
    expect(codeOf(() => optimizer.add({ fresh: backend.tensor([1]), v: overlapping }))).toBe(
      "OVERLAPPING_MEMORY",
    );
    expect(optimizer.parameters).toEqual(["w"]);
    optimizer.add({ v: backend.wrap(memory, { offset: 4 }) });
    expect(optimizer.parameters).toEqual(["w", "v"]);
  });
});

describe("parameters are refused", () => {
  const backend = reference();
  const good = (): Tensor => backend.tensor([2]);

  test.each([
    ["null", null],
    ["undefined", undefined],
    ["a number", 5],
    ["a string", "w"],
    ["a list", [good()]],
    ["a Map", new Map([["w", good()]])],
    ["a tensor", good()],
    ["an array", new Float32Array(2)],
    ["an array by name", { w: new Float32Array(2) }],
    ["null by name", { w: null }],
    ["something like a tensor", { w: { backend: null, memory: null, size: 1 } }],
    ["something like a tensor of something", { w: { backend: {}, memory: {}, size: 1 } }],
    ["a function", () => good()],
    ["tensors of two backends", { w: good(), v: reference().tensor([2]) }],
    ["a tensor named constructor", { constructor: good() }],
    ["a tensor named toString", { toString: good() }],
    ["a tensor named __proto__", Object.fromEntries([["__proto__", good()]])],
  ])("%s", (_, parameters) => {
    expect(
      codeOf(() => createOptimizer(adam(), anything<Record<string, Tensor>>(parameters))),
    ).toBe("INVALID_PARAMETER");
  });

  test("the same tensor twice", () => {
    const w = good();
    expect(codeOf(() => createOptimizer(adam(), { w, v: w }))).toBe("OVERLAPPING_MEMORY");
  });

  test("overlapping parts of one buffer, though no two neighbors in the list overlap", () => {
    const memory = new Float32Array(12);
    const part = (offset: number, length: number): Tensor =>
      backend.wrap(memory, { offset, shape: [length] });
    const overlapping = { a: part(0, 4), b: part(8, 4), c: part(3, 2) };
    expect(codeOf(() => createOptimizer(adam(), overlapping))).toBe("OVERLAPPING_MEMORY");
    const views = { a: part(0, 6), b: backend.wrap(memory.subarray(5, 7)) };
    expect(codeOf(() => createOptimizer(adam(), views))).toBe("OVERLAPPING_MEMORY");
    const inside = { a: part(0, 12), b: part(4, 1) };
    expect(codeOf(() => createOptimizer(adam(), inside))).toBe("OVERLAPPING_MEMORY");
    const apart = { a: part(0, 4), b: part(8, 4), c: part(4, 4) };
    expect(createOptimizer(adam(), apart).parameters).toEqual(["a", "b", "c"]);
  });

  test("a freed one, and one without values", () => {
    const w = good();
    w.free();
    expect(codeOf(() => createOptimizer(adam(), { w }))).toBe("DISPOSED");
  });

  test("one without values is accepted, but not stepped", async () => {
    const [w, late] = [good(), backend.staging([2])];
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w, late });
    const gradient = Float32Array.of(1, 2);
    expect(codeOf(() => optimizer.step({ w: gradient, late: gradient }))).toBe("INVALID_MEMORY");
    expect([...(await w.read())]).toEqual([0, 0]);
    late.stage(new Float32Array(2));
    optimizer.step({ w: gradient, late: gradient });
    expect([...(await late.read())]).toEqual([-1, -2]);
  });

  test("names can be unusual", () => {
    const names = ["", "0", "a.b/c:0", "ключ", "groups", "m"];
    const parameters = Object.fromEntries(names.map((name) => [name, good()]));
    const optimizer = createOptimizer(adam(), parameters);
    expect(new Set(optimizer.parameters)).toEqual(new Set(names));
    optimizer.step(Object.fromEntries(names.map((name) => [name, new Float32Array(2)])));
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

/** An optimizer after some steps. */
function busy(): { backend: Backend; parameters: Record<string, Tensor>; optimizer: Optimizer } {
  const backend = reference();
  const parameters = {
    a: backend.tensor([4], numbers(4, 1)),
    b: backend.tensor([4], numbers(4, 2)),
    c: backend.tensor([4], numbers(4, 3)),
  };
  const optimizer = createOptimizer(nadam(), parameters, {
    groups: [{ match: "b", beta1: 0.5 }],
  }) as unknown as Optimizer;
  for (let i = 0; i < 3; i += 1)
    optimizer.step({ a: numbers(4, i), b: numbers(4, i + 10), c: numbers(4, i + 20) });
  return { backend, parameters, optimizer };
}

describe("gradient(name)", () => {
  test("is a tensor of the parameter's shape, always the same, and freed with the optimizer", () => {
    const { optimizer, parameters } = busy();
    const gradient = optimizer.gradient("a");
    expect(gradient.shape).toEqual(parameters.a.shape);
    expect(optimizer.gradient("a")).toBe(gradient);
    optimizer.dispose();
    expect(gradient.freed).toBe(true);
    expect(codeOf(() => optimizer.gradient("a"))).toBe("DISPOSED");
  });

  test("is accepted by step like an array", async () => {
    const [one, other] = [busy(), busy()];
    const values = new Float32Array(one.parameters.a.size).fill(0.5);
    const gradient = one.optimizer.gradient("a");
    gradient.write(values);
    one.optimizer.step({ a: gradient });
    other.optimizer.step({ a: values });
    expect(await everything(one.optimizer, one.parameters)).toEqual(
      await everything(other.optimizer, other.parameters),
    );
  });

  test("refuses a name that the optimizer does not have", () => {
    expect(codeOf(() => busy().optimizer.gradient("nobody"))).toBe("UNKNOWN_PARAMETER");
  });
});

describe("gradients", () => {
  test("that are missing, null or undefined leave their parameter unchanged", async () => {
    const backend = reference();
    const parameters = { a: backend.tensor([1], [1]), b: backend.tensor([1], [1]) };
    const optimizer = createOptimizer(sgd({ learningRate: 1, momentum: 0.5 }), parameters);
    optimizer.step({ a: Float32Array.of(1), b: null });
    optimizer.step({ a: Float32Array.of(1), b: undefined });
    optimizer.step({ b: Float32Array.of(1) });
    expect([...(await parameters.a.read())]).toEqual([-1.5]);
    expect([...(await parameters.b.read())]).toEqual([0]);
    expect(optimizer.iterations).toBe(3);
  });

  test("may be inherited, shared, or of another shape with the same size", async () => {
    const backend = reference();
    const parameters = { a: backend.tensor([2, 2]), b: backend.tensor([4]) };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters);
    const shared = Float32Array.of(1, 2, 3, 4);
    optimizer.step({ a: shared, b: shared });
    optimizer.step(Object.create({ a: shared }));
    optimizer.step({ a: parameters.b });
    expect([...(await parameters.a.read())]).toEqual([-1, -2, -3, -4]);
    expect([...shared]).toEqual([1, 2, 3, 4]);
  });

  test("reach the kernel in the order of the parameters, in any order of their own", () => {
    const backend = reference();
    const runs: Tensor[][] = [];
    const watching: Backend = Object.assign(Object.create(backend) as Backend, {
      compile: () => ({
        source: "",
        run: (updates: readonly Update[], count: number) =>
          runs.push(updates.slice(0, count).map(({ parameter }) => parameter)),
      }),
      tensor: (shape: readonly number[]) =>
        Object.assign(backend.tensor(shape), { backend: watching }),
    });
    const [a, b, c] = [watching.tensor([1]), watching.tensor([1]), watching.tensor([1])];
    const optimizer = createOptimizer(sgd(), { a, b, c });
    const [x, y] = [watching.tensor([1]), watching.tensor([1])];
    optimizer.step({ a: x, c: x });
    optimizer.step({ b: x });
    optimizer.step({ c: x, a: y, b: null });
    expect(runs).toEqual([[a, c], [b], [a, c]]);
  });

  test("in f64 are accepted by f64 backends only", async () => {
    const parameters = { w: oracle().tensor([1]) };
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters);
    optimizer.step({ w: Float64Array.of(0.1) });
    optimizer.step({ w: Float32Array.of(0.5) });
    expect([...(await parameters.w.read())]).toEqual([-0.6]);
  });

  /** An optimizer after some steps, with everything that a mistake could change. */
  const good = numbers(4, 7);
  const foreign = reference().tensor([4]);
  test.each<[string, string, (backend: Backend, parameters: Record<string, Tensor>) => unknown]>([
    ["null", "INVALID_GRADIENT", () => null],
    ["undefined", "INVALID_GRADIENT", () => undefined],
    ["a number", "INVALID_GRADIENT", () => 5],
    ["a function", "INVALID_GRADIENT", () => () => good],
    ["nothing", "INVALID_GRADIENT", () => ({})],
    ["only null", "INVALID_GRADIENT", () => ({ a: null })],
    ["a Map", "INVALID_GRADIENT", () => new Map([["a", good]])],
    ["a list", "INVALID_GRADIENT", () => [good, good, good]],
    ["an array", "INVALID_GRADIENT", () => good],
    ["an unknown name", "UNKNOWN_PARAMETER", () => ({ a: good, d: good })],
    ["an unknown name without a gradient", "UNKNOWN_PARAMETER", () => ({ a: good, d: null })],
    [
      "as many unknown as missing names",
      "UNKNOWN_PARAMETER",
      () => ({ a: good, b: good, d: good }),
    ],
    ["a shorter array", "LENGTH_MISMATCH", () => ({ a: good, c: good.slice(1) })],
    ["a longer array", "LENGTH_MISMATCH", () => ({ a: good, c: numbers(5, 1) })],
    ["an empty array", "LENGTH_MISMATCH", () => ({ a: good, c: new Float32Array() })],
    [
      "a tensor of another size",
      "LENGTH_MISMATCH",
      (backend) => ({ a: good, c: backend.tensor([3]) }),
    ],
    ["an array of numbers", "INVALID_GRADIENT", () => ({ a: good, c: [1, 2, 3, 4] })],
    ["a Float64Array", "INVALID_GRADIENT", () => ({ a: good, c: new Float64Array(4) })],
    ["an Int32Array", "INVALID_GRADIENT", () => ({ a: good, c: new Int32Array(4) })],
    ["a DataView", "INVALID_GRADIENT", () => ({ a: good, c: new DataView(new ArrayBuffer(16)) })],
    ["an ArrayBuffer", "INVALID_GRADIENT", () => ({ a: good, c: new ArrayBuffer(16) })],
    ["a number for a gradient", "INVALID_GRADIENT", () => ({ a: good, c: 0.5 })],
    ["false for a gradient", "INVALID_GRADIENT", () => ({ a: good, c: false })],
    ["a bare object", "INVALID_GRADIENT", () => ({ a: good, c: Object.create(null) as object })],
    ["a symbol", "INVALID_GRADIENT", () => ({ a: good, c: Symbol("c") })],
    ["another backend's tensor", "INVALID_GRADIENT", () => ({ a: good, c: foreign })],
    ["the parameter itself", "OVERLAPPING_MEMORY", (_, { c }) => ({ a: good, c })],
    [
      "a view of the parameter",
      "OVERLAPPING_MEMORY",
      (_, { c }) => ({ a: good, c: new Float32Array(c.memory.buffer as ArrayBuffer, 0, 4) }),
    ],
    [
      "a freed tensor",
      "DISPOSED",
      (backend) => {
        const freed = backend.tensor([4]);
        freed.free();
        return { a: good, c: freed };
      },
    ],
    [
      "a tensor without values",
      "INVALID_MEMORY",
      (backend) => ({ a: good, c: backend.staging([4]) }),
    ],
  ])("%s: refused with %s, and nothing changes", async (_, code, make) => {
    const { backend, parameters, optimizer } = busy();
    const before = await everything(optimizer, parameters);
    expect(codeOf(() => optimizer.step(anything(make(backend, parameters))))).toBe(code);
    expect(await everything(optimizer, parameters)).toEqual(before);
    // The next step is that of an optimizer without the mistake.
    const other = busy();
    for (const one of [optimizer, other.optimizer]) one.step({ a: good, b: good, c: good });
    expect(await everything(optimizer, parameters)).toEqual(
      await everything(other.optimizer, other.parameters),
    );
  });

  test.each([
    ["freed", (w: Tensor): void => w.free()],
    [
      "detached",
      (w: Tensor): void => {
        structuredClone(w.memory.buffer, { transfer: [w.memory.buffer as ArrayBuffer] });
      },
    ],
  ])("a parameter that was %s stops the step before anything changes", async (_, lose) => {
    const { parameters, optimizer } = busy();
    const before = bits(await parameters.a.read());
    lose(parameters.c);
    expect(parameters.c.freed).toBe(true);
    expect(codeOf(() => optimizer.step({ a: good, c: good }))).toBe("DISPOSED");
    expect(bits(await parameters.a.read())).toEqual(before);
    expect(optimizer.iterations).toBe(3);
    optimizer.step({ a: good });
    expect(optimizer.iterations).toBe(4);
  });

  test("a typed array whose buffer was transferred has another length", () => {
    const { optimizer } = busy();
    const gradient = good.slice();
    structuredClone(gradient.buffer, { transfer: [gradient.buffer] });
    expect(codeOf(() => optimizer.step({ a: gradient }))).toBe("LENGTH_MISMATCH");
  });

  test("after a run that threw, a step is not a repetition of it", async () => {
    const backend: Backend = reference();
    const compile = backend.compile.bind(backend);
    let isLost = false;
    let last: Tensor[] = [];
    backend.compile = (variant) => {
      const kernel = compile(variant);
      return {
        ...kernel,
        run: (updates, count) => {
          if (isLost) throw new Error("lost");
          last = updates.slice(0, count).map(({ gradient }) => gradient);
          kernel.run(updates, count);
        },
        // As on wasm, which keeps the addresses of the last run.
        repeater: (updates) => () => {
          const repeated = updates.slice(0, last.length);
          const again = repeated.map((one, i) => ({ ...one, gradient: last[i] }));
          kernel.run(again, again.length);
        },
      };
    };
    const w = backend.tensor([1], [0]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const [one, ten] = [backend.tensor([1], [1]), backend.tensor([1], [10])];
    optimizer.step({ w: one });
    isLost = true;
    expect(() => optimizer.step({ w: ten })).toThrow("lost");
    isLost = false;
    optimizer.step({ w: ten });
    expect([...(await w.read())]).toEqual([-11]);
    optimizer.step({ w: ten });
    expect([...(await w.read())]).toEqual([-21]);
    expect(optimizer.iterations).toBe(3);
  });
});
