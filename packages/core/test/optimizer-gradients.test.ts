import { describe, expect, test } from "vitest";
import type { Backend, Tensor, Update } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import type { Optimizer } from "../src/optimizer/optimizer.js";
import { oracle, reference } from "../src/reference.js";
import { nadam } from "../src/rules/nadam.js";
import { sgd } from "../src/rules/sgd.js";
import { anything, bits, codeOf, numbers } from "./support.js";

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
