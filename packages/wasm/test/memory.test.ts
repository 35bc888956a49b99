import {
  adam,
  createOptimizer,
  GradstepError,
  sgd,
  variantOf,
  type Backend,
  type Tensor,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { cases } from "../../../testing/cases.js";
import { wasm, type Heap, type Wasm } from "../src/index.js";
import { checkWasmOptions } from "../src/options.js";

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return error instanceof GradstepError ? error.code : String(error);
  }
  return undefined;
}

test("optimizers that are disposed of leave no memory allocated", () => {
  const backend = wasm();
  const create = (): void => {
    const w = backend.tensor([1000]);
    const optimizer = createOptimizer(adam(), { w });
    optimizer.step({ w: new Float32Array(1000) });
    optimizer.step({ w: optimizer.gradient("w") });
    optimizer.dispose();
    w.free();
  };
  create();
  const { byteLength } = backend.memory.buffer;
  for (let i = 0; i < cases(1000, 100); i += 1) create();
  expect(backend.memory.buffer.byteLength).toBe(byteLength);
});

test("a parameter, its slots and its gradient are adjacent", () => {
  const backend = wasm();
  const w = backend.tensor([64]);
  const optimizer = createOptimizer(adam(), { w });
  const gradient = optimizer.gradient("w");
  // p, m, v, and then g.
  expect(gradient.address - w.address).toBe(3 * 256);
});

test("each group has its own scalars, in any order of the parameters", async () => {
  const names = Array.from(
    { length: 12 },
    (_, i) => `${"abc"[i % 3]}${i < 6 ? "" : "abc"[i % 2]}${i}`,
  );
  const step = async (backend: Backend): Promise<number[]> => {
    const tensors = (first: number): Record<string, Tensor> =>
      Object.fromEntries(names.map((name, i) => [name, backend.tensor([1], [first + i])]));
    const parameters = tensors(-5);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), parameters, {
      groups: [
        { match: /^a/, learningRate: 2 },
        { match: /^b/, weightDecay: 0.5 },
      ],
    });
    optimizer.step(tensors(1));
    optimizer.groups[1].learningRate = 4;
    optimizer.weightDecay = 0.25;
    optimizer.step(tensors(2));
    const values = await Promise.all(Object.values(parameters).map((tensor) => tensor.read()));
    return values.map(([value]) => value);
  };
  expect(await step(wasm())).toEqual(await step(reference()));
});

/** A heap that detaches all views at every allocation. */
function growing(): Heap {
  const memory = new WebAssembly.Memory({ initial: 1 });
  return {
    memory,
    allocate: (byteLength) => memory.grow(Math.ceil(byteLength / 65536)) * 65536,
    free: () => {},
  };
}

test("a step is right if every allocation in it detaches all views", async () => {
  const backend = wasm({ heap: growing() });
  const w = backend.tensor([5]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
  optimizer.step({ w: Float32Array.of(1, 2, 3, 4, 5) });
  const bias = backend.tensor([2]);
  const grown = optimizer.add({ bias });
  grown.step({ w: optimizer.gradient("w"), bias: Float32Array.of(6, 7) });
  expect([...(await w.read())]).toEqual([-1, -2, -3, -4, -5]);
  expect([...(await bias.read())]).toEqual([-6, -7]);
});

test("arguments that are views of the memory survive its growth", async () => {
  const backend = wasm({ heap: growing() });
  const [gradient, rows, indices, fresh] = [3, 3, 4, 4].map((size) => backend.tensor([size]));
  const words = ({ address }: { address: number }, ...values: number[]): Uint32Array => {
    const view = new Uint32Array(backend.memory.buffer, address, values.length);
    view.set(values);
    return view;
  };
  gradient.write([1, 2, 3]);
  const a = backend.tensor([3], [0, 0, 0]);
  const b = backend.tensor([3], [0, 0, 0]);
  const optimizer = createOptimizer(sgd({ learningRate: 1, momentum: 0.5 }), { a, b });
  const given = { a: Float32Array.of(4, 5, 6), b: gradient.view() };
  optimizer.step(given, { rows: words(rows, 1, 0, 1), unselectedRows: "decay" });
  expect(given.b.length).toBe(0);
  expect([...(await a.read())]).toEqual([-4, 0, -6]);
  expect([...(await b.read())]).toEqual([-1, 0, -3]);

  const moved = words(indices, 2, 0, 1, 0);
  optimizer.rows("a").remap(moved, { resetRows: words(fresh, 0, 1, 0, 0) });
  expect(moved.length).toBe(0);
  expect([...(await a.read())]).toEqual([-6, -4, 0, -4]);
  const { slots } = await optimizer.state();
  expect([...Object.values(slots.a)[0]]).toEqual([6, 0, 0, 4]);

  expect([...(await backend.tensor([3], gradient.view()).read())]).toEqual([1, 2, 3]);
});

test("a gradient that is a view of the memory is taken before a sparse one makes it grow", async () => {
  const backend = wasm({ heap: growing() });
  const gradient = backend.tensor([3]);
  const w = backend.tensor([3], [0, 0, 0]);
  const e = backend.tensor([4, 2], new Float32Array(8));
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { e, w }, { sparse: "lazy" });
  gradient.write([1, 2, 3]);
  const values = Float32Array.of(4, 5);
  optimizer.step({ e: { indices: Uint32Array.of(2), values }, w: gradient.view() });
  expect([...(await w.read())]).toEqual([-1, -2, -3]);
  expect([...(await e.read())]).toEqual([0, 0, 0, 0, -4, -5, 0, 0]);
});

test("what is no tensor, move or run of the backend is refused", () => {
  const backend = wasm();
  const w = backend.tensor([3]);
  const kernel = wasm().compile(variantOf(adam()));
  for (const value of [null, 1, [null], Promise.resolve(), new Float32Array(3)])
    for (const call of [
      () => backend.copy!(value as never, w),
      () => backend.copy!(w, value as never),
      () => backend.fillCopy!(w, value as never),
      () => backend.remap!(value as never, { count: 3, indices: Uint32Array.of(0, 1, 2) }),
      () => backend.remap!([], value as never),
      () => backend.runTogether!(value as never),
    ])
      expect(codeOf(call)).toBe("INVALID_PARAMETER");
  expect(codeOf(() => backend.runTogether!([{ kernel, updates: [], count: 0 }]))).toBe(
    "INVALID_PARAMETER",
  );
});

test("parameters that replaced others are updated by a repeated step", async () => {
  const backend = wasm();
  const w = backend.tensor([2], [0, 0]);
  const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
  const gradient = backend.tensor([2], [1, 2]);
  optimizer.step({ w: gradient });
  optimizer.step({ w: gradient });
  const replaced = backend.tensor([2], [10, 20]);
  // Without slots nothing is moved.
  optimizer.rows().remap(Uint32Array.of(0, 1), { parameters: { w: replaced } });
  optimizer.step({ w: gradient });
  expect([...(await w.read())]).toEqual([-2, -4]);
  expect([...(await replaced.read())]).toEqual([9, 18]);
});

test("a view is live, and view() after growth returns a new one", async () => {
  const backend = wasm();
  const w = backend.tensor([3], [1, 2, 3]);
  const before = w.view();
  expect(w.view()).toBe(before);
  before[1] = 20;
  backend.tensor([1_000_000]);
  expect(before.length).toBe(0);
  expect([...w.view()]).toEqual([1, 20, 3]);
  const copy = await w.read();
  w.view()[0] = 10;
  expect([...copy]).toEqual([1, 20, 3]);
});

test("a new tensor in reused memory is zero", () => {
  const backend = wasm();
  const first = backend.tensor([100], new Float32Array(100).fill(7));
  const { address } = first;
  first.free();
  const second = backend.tensor([100]);
  expect(second.address).toBe(address);
  expect(second.view().every((value) => value === 0)).toBe(true);
});

test("gradients: written in place, given as a view, or copied in, with the same result", async () => {
  const values = Float32Array.from({ length: 50 }, (_, i) => Math.sin(i));
  const results = await Promise.all(
    [
      (backend: Wasm, g: Float32Array) => backend.tensor([50], g),
      (backend: Wasm, g: Float32Array) => backend.tensor([50], g).view(),
      (_: Wasm, g: Float32Array) => g,
    ].map(async (give) => {
      const backend = wasm();
      const w = backend.tensor([50], values);
      const optimizer = createOptimizer(adam(), { w });
      for (let i = 0; i < 3; i += 1) optimizer.step({ w: give(backend, values) });
      return w.read();
    }),
  );
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});

test("wrap accepts only views of the backend's memory", () => {
  const backend = wasm();
  const w = backend.tensor(
    [10],
    Float32Array.from({ length: 10 }, (_, i) => i),
  );
  const part = backend.wrap(w.view(), { offset: 2, shape: [2, 3] });
  expect([...part.view()]).toEqual([2, 3, 4, 5, 6, 7]);
  part.free();
  expect(w.view()[2]).toBe(2);
  expect(codeOf(() => backend.wrap(new Float32Array(4)))).toBe("INVALID_MEMORY");
  expect(codeOf(() => createOptimizer(adam(), { w, part: backend.wrap(w.view()) }))).toBe(
    "OVERLAPPING_MEMORY",
  );
});

test("a tensor that cannot be filled leaves no memory allocated", () => {
  const backend = wasm();
  const { address } = backend.tensor([4]);
  expect(codeOf(() => backend.tensor([4], [1, 2]))).toBe("LENGTH_MISMATCH");
  expect(backend.tensor([4]).address).toBe(address + 64);
});

test("a gradient that shares memory with its parameter is refused", () => {
  const backend = wasm();
  const w = backend.tensor([4]);
  const optimizer = createOptimizer(adam(), { w });
  expect(codeOf(() => optimizer.step({ w: w.view() }))).toBe("OVERLAPPING_MEMORY");
});

test("a full memory is an error that changes nothing", async () => {
  const backend = wasm({ memoryLimit: 2 ** 20 });
  const w = backend.tensor([50_000], new Float32Array(50_000).fill(2));
  expect(codeOf(() => backend.tensor([250_000]))).toBe("OUT_OF_MEMORY");
  expect((await w.read())[49_999]).toBe(2);
  const wide = backend.tensor([100_000]);
  expect(codeOf(() => createOptimizer(adam(), { wide }))).toBe("OUT_OF_MEMORY");
  const empty = createOptimizer(adam(), {});
  expect(codeOf(() => empty.add({ wide }))).toBe("OUT_OF_MEMORY");
  empty.add({ w: reference().tensor([1]) });
  empty.step({ w: Float32Array.of(1) });
  wide.free();
  expect(codeOf(() => createOptimizer(adam(), { w }).step({ w: new Float32Array(50_000) }))).toBe(
    undefined,
  );
});

test.each([
  ["", { initial: 2 }],
  [", in shared memory", { initial: 2, maximum: 2, shared: true }],
])("everything is allocated from the heap option%s", async (_, descriptor) => {
  const memory = new WebAssembly.Memory(descriptor);
  let next = 1024;
  const freed: number[] = [];
  const backend = wasm({
    heap: {
      memory,
      allocate: (byteLength) => {
        const address = next;
        next += Math.ceil(byteLength / 16) * 16;
        return address;
      },
      free: (address) => void freed.push(address),
    },
  });
  const w = backend.tensor([5], [1, 2, 3, 4, 5]);
  expect(w.address).toBe(1024);
  const optimizer = createOptimizer(adam({ learningRate: 1 }), { w });
  optimizer.step({ w: new Float32Array(5).fill(1) });
  expect((await w.read())[0]).toBeCloseTo(0);
  optimizer.dispose();
  expect(freed.length).toBe(3);
});

test.each([undefined, Number.NaN, 0, -64, 1026, 2 ** 17])(
  "a heap that returns the address %s is an error, and nothing is written",
  (address) => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const heap = { memory, allocate: () => address as number, free: () => {} };
    const backend = wasm({ heap });
    expect(codeOf(() => backend.tensor([5], [1, 2, 3, 4, 5]))).toBe("OUT_OF_MEMORY");
    expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
  },
);

test("arrays at address 0 are updated like any other", async () => {
  const memory = new WebAssembly.Memory({ initial: 2 });
  let next = 65536;
  const allocate = (byteLength: number): number => (next += 512 * Math.ceil(byteLength / 512));
  const backend = wasm({ heap: { memory, allocate, free: () => {} } });
  for (let size = 1; size < 40; size += 1) {
    next = 65536;
    const values = Float32Array.from({ length: size }, (_, i) => i - 3);
    const w = backend.wrap(new Float32Array(memory.buffer, 0, size));
    w.write(values);
    const expected = reference().tensor([size], values);
    createOptimizer(adam({ learningRate: 0.1 }), { w }).step({ w: values });
    createOptimizer(adam({ learningRate: 0.1 }), { w: expected }).step({ w: values });
    expect(await w.read()).toEqual(await expected.read());
  }
});

test.each([
  [{ thread: 2 }, "UNKNOWN_OPTION"],
  [{ threads: 0 }, "INVALID_HYPERPARAMETER"],
  [{ threads: 65 }, "INVALID_HYPERPARAMETER"],
  [{ threads: 1.5 }, "INVALID_HYPERPARAMETER"],
  [{ memoryLimit: 10 }, "INVALID_HYPERPARAMETER"],
  [{ parallelThreshold: -1 }, "INVALID_HYPERPARAMETER"],
  [{ parallelThreshold: Number.NaN }, "INVALID_HYPERPARAMETER"],
  [{ parallelThreshold: "1" }, "INVALID_HYPERPARAMETER"],
  [{ memoryLimit: [Symbol("s")] }, "INVALID_HYPERPARAMETER"],
  [{ modules: null }, "INVALID_HYPERPARAMETER"],
  [{ modules: [5] }, "INVALID_HYPERPARAMETER"],
  [{ modules: [{}, 5] }, "INVALID_HYPERPARAMETER"],
  [{ workerUrl: 5 }, "INVALID_HYPERPARAMETER"],
  [{ workerUrl: null }, "INVALID_HYPERPARAMETER"],
  [{ workerUrl: {} }, "INVALID_HYPERPARAMETER"],
  [{ heap: null }, "INVALID_HYPERPARAMETER"],
  [{ heap: {} }, "INVALID_HYPERPARAMETER"],
  [null, "UNKNOWN_OPTION"],
  [[], "UNKNOWN_OPTION"],
  [2, "UNKNOWN_OPTION"],
])("options %j are refused with %s", (options, code) => {
  expect(codeOf(() => wasm(options as never))).toBe(code);
});

test("options have defaults, and may be at the ends of their ranges", () => {
  const defaults = {
    threads: 1,
    parallelThreshold: undefined,
    memoryLimit: 2 ** 32,
    modules: [],
    heap: undefined,
    workerUrl: undefined,
  };
  expect(checkWasmOptions({})).toEqual(defaults);
  for (const options of [
    { threads: 64 },
    { parallelThreshold: 0 },
    { parallelThreshold: Infinity },
    { workerUrl: "/worker.js" },
  ])
    expect(checkWasmOptions(options)).toEqual({ ...defaults, ...options });
  const modules = [{}] as never;
  expect(codeOf(() => checkWasmOptions({ modules }))).toBe("INVALID_HYPERPARAMETER");
  const workerUrl = new URL("https://example.org/worker.js");
  expect(checkWasmOptions({ workerUrl }).workerUrl).toBe(workerUrl.href);
});

test("the backend has a name, a precision and exactness", () => {
  expect(wasm()).toMatchObject({ name: "wasm", precision: "f32", exact: true });
});

test("after dispose nothing runs, but values can be read", async () => {
  const backend = wasm();
  const w = backend.tensor([2], [1, 2]);
  const optimizer = createOptimizer(adam(), { w });
  backend.dispose();
  expect(codeOf(() => optimizer.step({ w: new Float32Array(2) }))).toBe("DISPOSED");
  expect(codeOf(() => backend.tensor([1]))).toBe("DISPOSED");
  expect([...(await w.read())]).toEqual([1, 2]);
});
