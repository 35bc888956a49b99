import { describe, expect, it, test } from "vitest";
import {
  adam,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  nadam,
  sgd,
  type GradstepError,
  type OptimizerConfig,
  type OptimizerSpec,
  type OptimizerState,
  type Backend,
  type Tensor,
} from "@gradstep/core";
import { optimizerByName } from "@gradstep/core/by-name";
import { reference } from "@gradstep/core/reference";

const lazy = { sparse: "lazy", rowSteps: true } as const;

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as GradstepError).code;
  }
  return undefined;
}

describe("rowSteps", () => {
  it("is refused for indices in a tensor, which the host does not count", () => {
    const backend = reference();
    const e = backend.tensor([3]);
    const optimizer = createOptimizer(adam(), { e }, lazy);
    const { memory } = backend.tensor([2]);
    const layout = { dtype: "u32", rowStride: 1, scale: 1 } as const;
    const indices = {
      backend,
      memory,
      layout,
      shape: [2],
      size: 2,
      freed: false,
    } as Partial<Tensor> as Tensor;
    const values = backend.tensor([2], [1, 1]);
    expect(codeOf(() => optimizer.step({ e: { indices, values } }))).toBe("UNSUPPORTED");
    expect([optimizer.iterations, ...e.view!()]).toEqual([0, 0, 0, 0]);
  });

  it("corrects the bias of each row by its own steps", async () => {
    const e = reference().tensor([3]);
    const optimizer = createOptimizer(adam({ learningRate: 1, epsilon: 0 }), { e }, lazy);
    for (let step = 0; step < 100; step += 1)
      optimizer.step({ e: { indices: Uint32Array.of(0), values: Float32Array.of(1) } });
    optimizer.step({ e: { indices: Uint32Array.of(2), values: Float32Array.of(1) } });
    // Adam's first step is the learning rate, whatever the gradient.
    expect((await e.read())[2]).toBeCloseTo(-1, 5);
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(100, 0, 1) });
    expect(optimizer.iterations).toBe(101);
  });

  it("counts all rows at a gradient of all rows, and only once those that throw nothing", async () => {
    const e = reference().tensor([2]);
    const optimizer = createOptimizer(adam(), { e }, lazy);
    const gradient = Float32Array.of(1, 1);
    optimizer.step({ e: gradient });
    optimizer.step({ e: gradient }, { rows: Uint32Array.of(0, 7) });
    expect(codeOf(() => optimizer.step({ e: new Float32Array(1) }))).toBe("LENGTH_MISMATCH");
    const tensor = reference().tensor([2]);
    expect(codeOf(() => optimizer.step({ e: tensor }))).toBe("INVALID_GRADIENT");
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(1, 2) });
  });

  it("is not lost by steps that repeat a tensor", async () => {
    const backend = reference();
    const e = backend.tensor([2]);
    const optimizer = createOptimizer(adam(), { e }, lazy);
    const gradient = backend.tensor([2], [1, 1]);
    for (let step = 0; step < 3; step += 1) optimizer.step({ e: gradient });
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(3, 3) });
  });

  it("is what explain explains", async () => {
    const e = reference().tensor([2, 2]);
    const optimizer = createOptimizer(adam(), { e }, lazy);
    const gradient = { indices: Uint32Array.of(1), values: Float32Array.of(1, 2) };
    for (let step = 0; step < 3; step += 1) optimizer.step({ e: gradient });
    const { step, after } = await optimizer.explain("e", 3, { e: gradient });
    expect((await optimizer.explain("e", 1, { e: gradient })).step).toBe(1);
    optimizer.step({ e: gradient });
    expect([step, after]).toEqual([4, (await e.read())[3]]);
  });

  it("moves with its rows; new and reset rows begin at 0", async () => {
    const e = reference().tensor([3]);
    const optimizer = createOptimizer(adam(), { e }, lazy);
    optimizer.step({ e: { indices: Uint32Array.of(0, 2), values: Float32Array.of(1, 1) } });
    optimizer.step({ e: { indices: Uint32Array.of(2), values: Float32Array.of(1) } });
    optimizer
      .rows("e")
      .remap(Uint32Array.of(2, 0xffff_ffff, 2, 0), { resetRows: Uint32Array.of(0, 0, 1, 0) });
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(2, 0, 0, 1) });
    optimizer.step({ e: { indices: Uint32Array.of(3, 1), values: Float32Array.of(1, 1) } });
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(2, 1, 0, 2) });
  });

  it("begins again at 0 for rows that are reset, unless they keep some columns", async () => {
    const e = reference().tensor([3, 2]);
    const optimizer = createOptimizer(adam(), { e }, lazy);
    optimizer.step({ e: new Float32Array(6).fill(1) });
    optimizer.reset("e", { columns: [0, 1] });
    optimizer.reset("e", { rows: Uint32Array.of(0, 1, 0) });
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(1, 0, 1) });
    optimizer.reset();
    expect((await optimizer.state()).rowSteps).toEqual({ e: Uint32Array.of(0, 0, 0) });
  });

  it("counts no step that is skipped, whatever the steps of the row that is not finite", async () => {
    const e = reference().tensor([3]);
    const optimizer = createOptimizer(adam(), { e }, { ...lazy, nonFinite: "skip" });
    optimizer.step({ e: { indices: Uint32Array.of(0), values: Float32Array.of(1) } });
    const before = [await optimizer.state(), await e.read()];
    for (const bad of [0, 1, 2]) {
      const values = Float32Array.of(1, 1, 1);
      values[bad] = bad === 1 ? NaN : Infinity;
      optimizer.step({ e: { indices: Uint32Array.of(2, 0, 1), values } });
    }
    const { control: _, ...after } = await optimizer.state();
    const { control: __, ...expected } = before[0] as OptimizerState;
    expect([after, await e.read()]).toEqual([expected, before[1]]);
    expect(optimizer.skippedSteps).toBe(3);
  });

  it("is part of the state, through JSON too: N + N steps are 2N", async () => {
    const backend = reference();
    const make = () => createOptimizer(adam(), { e: backend.tensor([4, 2]) }, lazy);
    const gradient = (step: number) => ({
      e: {
        indices: Uint32Array.of(step % 4, (step * step) % 3),
        values: Float32Array.of(1, 2, 3, step),
      },
    });
    const [through, resumed] = [make(), make()];
    for (let step = 0; step < 5; step += 1) through.step(gradient(step));
    resumed.restore(JSON.parse(JSON.stringify(await through.state())) as OptimizerState);
    for (let step = 5; step < 10; step += 1) {
      through.step(gradient(step));
      resumed.step(gradient(step));
    }
    expect(await resumed.state()).toEqual(await through.state());
  });

  it("does not fit a state without it, with other rows, or with something else than counts", async () => {
    const backend = reference();
    const counting = createOptimizer(adam(), { e: backend.tensor([2]) }, lazy);
    const plain = createOptimizer(adam(), { e: backend.tensor([2]) });
    const [with_, without] = await Promise.all([counting.state(), plain.state()]);
    expect(without.rowSteps).toBeUndefined();
    const states = [
      without,
      ...[[1], [1, -1], [1, "2"], null].map((e) => ({ ...with_, rowSteps: { e } })),
    ];
    for (const state of states)
      expect(codeOf(() => counting.restore(state as OptimizerState))).toBe("STATE_MISMATCH");
    expect(codeOf(() => plain.restore(with_))).toBe("STATE_MISMATCH");
  });
});

test("calls whose step would be refused are refused before they are counted", async () => {
  const backend = reference();
  const tensors = { e: backend.tensor([3]), w: backend.tensor([2]) };
  const optimizer = createOptimizer(adam(), tensors, { ...lazy, accumulate: 2 });
  const rows = { indices: Uint32Array.of(1), values: Float32Array.of(1) };
  const w = Float32Array.of(1, 1);
  const ofW = { rows: { w: Uint32Array.of(1, 0) }, unselectedRows: "decay" } as const;
  const plain = createOptimizer(adam(), { w: backend.tensor([2]) }, { accumulate: 2 });
  plain.step({ w }, ofW);
  plain.step({ w });
  expect(plain.iterations).toBe(1);
  // The rows of a sparse gradient, in the call itself.
  expect(codeOf(() => optimizer.step({ e: rows, w }, ofW))).toBe("UNSUPPORTED");
  expect(codeOf(() => optimizer.step({ e: rows }, { unselectedRows: "decay" }))).toBe(
    "UNSUPPORTED",
  );
  expect(optimizer.microSteps).toBe(0);
  optimizer.step({ e: rows });
  const before = await optimizer.state();
  expect(codeOf(() => optimizer.step({ w }, ofW))).toBe("UNSUPPORTED");
  // The rows of the call before.
  expect(codeOf(() => optimizer.step({ w }, { unselectedRows: "decay" }))).toBe("UNSUPPORTED");
  expect(await optimizer.state()).toEqual(before);
  optimizer.step({ w }, { ...ofW, unselectedRows: "keep" });
  expect(optimizer.iterations).toBe(1);
  expect((await optimizer.state()).rowSteps).toEqual({
    e: Uint32Array.of(0, 1, 0),
    w: Uint32Array.of(1, 0),
  });
});

test("a call with all rows completes a step whose earlier calls selected some", async () => {
  const backend = reference();
  const tensors = { e: backend.tensor([3]), w: backend.tensor([2]) };
  const optimizer = createOptimizer(adam(), tensors, { ...lazy, accumulate: 2 });
  optimizer.step({ e: { indices: Uint32Array.of(1), values: Float32Array.of(1) } });
  optimizer.step(
    { e: Float32Array.of(2, 3, 4), w: Float32Array.of(5, 6) },
    { unselectedRows: "decay" },
  );
  // Adam of the means.
  const plain = { e: backend.tensor([3]), w: backend.tensor([2]) };
  createOptimizer(adam(), plain).step({
    e: Float32Array.of(1, 2, 2),
    w: Float32Array.of(2.5, 3),
  });
  for (const name of ["e", "w"] as const)
    expect(await tensors[name].read()).toEqual(await plain[name].read());
  expect((await optimizer.state()).rowSteps).toEqual({
    e: Uint32Array.of(1, 1, 1),
    w: Uint32Array.of(1, 1),
  });
});

describe("sparse and rowSteps are refused", () => {
  const e = () => reference().tensor([2]);
  it.each<[string, string, () => unknown]>([
    [
      "another mode",
      "INVALID_HYPERPARAMETER",
      () => createOptimizer(adam(), { e: e() }, { sparse: "some" as never }),
    ],
    [
      "rowSteps of another type",
      "INVALID_HYPERPARAMETER",
      () => createOptimizer(adam(), { e: e() }, { sparse: "lazy", rowSteps: 1 as never }),
    ],
    [
      "rowSteps without lazy",
      "INVALID_HYPERPARAMETER",
      () => createOptimizer(adam(), { e: e() }, { rowSteps: true }),
    ],
    [
      "rowSteps with persistent scalars",
      "UNSUPPORTED",
      () => createOptimizer(nadam(), { e: e() }, lazy),
    ],
    [
      "rowSteps with a reduction",
      "UNSUPPORTED",
      () =>
        createOptimizer(chain(clipByGlobalNorm({ globalClipNorm: 1 }), adam()), { e: e() }, lazy),
    ],
    [
      "rowSteps of a number",
      "INVALID_SHAPE",
      () => createOptimizer(adam(), { e: reference().tensor([]) }, lazy),
    ],
    [
      "rowSteps on a backend that takes no lists",
      "UNSUPPORTED",
      () => {
        const backend = reference() as Backend;
        const compile = backend.compile.bind(backend);
        const plain = Object.assign(backend, {
          compile: (variant: never) => ({
            ...compile(variant),
            takesRowLists: false,
          }),
        });
        createOptimizer(adam(), { e: plain.tensor([2]) }, lazy);
      },
    ],
    [
      "a mask for a lazy gradient",
      "INVALID_GRADIENT",
      () => {
        const optimizer = createOptimizer(adam(), { e: e() }, { sparse: "lazy" });
        const gradient = { indices: Uint32Array.of(1), values: Float32Array.of(1) };
        optimizer.step({ e: gradient }, { rows: Uint32Array.of(1, 1) });
      },
    ],
    [
      "slots of unselected rows that decay",
      "UNSUPPORTED",
      () => {
        const optimizer = createOptimizer(adam(), { e: e() }, lazy);
        optimizer.step(
          { e: Float32Array.of(1, 1) },
          { rows: Uint32Array.of(1, 0), unselectedRows: "decay" },
        );
      },
    ],
  ])("%s: %s", (_, code, action) => {
    expect(codeOf(action)).toBe(code);
  });
});

describe("the configuration", () => {
  it("has what is not the default, and makes the same optimizer again", async () => {
    const make = (spec: OptimizerSpec) => {
      const backend = reference();
      return createOptimizer(spec, { a: backend.tensor([2]), b: backend.tensor([2]) });
    };
    const first = createOptimizer(
      adam(),
      { a: reference().tensor([2]) },
      { ...lazy, groups: [{ match: "a", rowSteps: false }] },
    );
    const config = first.config();
    expect(config).toMatchObject({ ...lazy, groups: [{ match: ["a"], rowSteps: false }] });
    const again = make(optimizerByName(JSON.parse(JSON.stringify(config)) as OptimizerConfig));
    expect(again.config()).toEqual(config);
    expect((await again.state()).rowSteps).toEqual({ b: Uint32Array.of(0, 0) });
    expect(make(adam()).config()).not.toHaveProperty("sparse");
    const plain = createOptimizer(
      optimizerByName(config),
      { a: reference().tensor([2]) },
      { rowSteps: false },
    );
    expect(plain.config()).not.toHaveProperty("rowSteps");
  });

  it.each([{ sparse: "some" }, { rowSteps: 1 }, { rowSteps: true }])(
    "with %o is refused",
    (options) => {
      const config = { ...createOptimizer(adam(), {}).config(), ...options } as OptimizerConfig;
      expect(codeOf(() => optimizerByName(config))).toBe("INVALID_HYPERPARAMETER");
    },
  );
});

describe("groups", () => {
  it("have modes of their own, or that of the optimizer", async () => {
    const backend = reference();
    const [a, b] = [backend.tensor([2], [1, 1]), backend.tensor([2], [1, 1])];
    const optimizer = createOptimizer(
      sgd({ learningRate: 0.5, weightDecay: 1 }),
      { a, b },
      { sparse: "lazy", groups: [{ match: "b", sparse: "dense" }] },
    );
    const gradient = { indices: Uint32Array.of(1), values: Float32Array.of(0) };
    optimizer.step({ a: gradient, b: gradient });
    expect([...(await a.read())]).toEqual([1, 0.5]);
    expect([...(await b.read())]).toEqual([0.5, 0.5]);
  });
});
