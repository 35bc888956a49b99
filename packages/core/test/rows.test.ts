import { describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  createOptimizer,
  newRow,
  sgd,
  type OptimizerMethods,
  type Tensor,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { anything, codeOf, failureOf, numbers } from "./support.js";

const backend = reference();

/** An optimizer of three rows after one step; the slot `v` identifies the rows. */
function threeRows() {
  const w = backend.tensor([3, 2], [1, 1, 2, 2, 3, 3]);
  const b = backend.tensor([3], [1, 2, 3]);
  const optimizer = createOptimizer(sgd({ learningRate: 0, momentum: 0.5 }), { w, b });
  optimizer.step({ w: Float32Array.of(1, 1, 2, 2, 3, 3), b: Float32Array.of(1, 2, 3) });
  return { optimizer, w, b };
}

async function momenta(
  optimizer: Pick<OptimizerMethods<string>, "state">,
  name: string,
): Promise<number[]> {
  const { slots } = await optimizer.state();
  return [...Object.values(slots[name])[0]];
}

describe("remap", () => {
  test("moves parameters and slots, and keeps the tensors", async () => {
    const { optimizer, w, b } = threeRows();
    const before = await momenta(optimizer, "b");
    const rows = optimizer.rows();
    expect([rows.names, rows.count]).toEqual([["w", "b"], 3]);
    rows.remap(Uint32Array.of(2, 0, 0, newRow), { resetRows: Uint32Array.of(0, 0, 1, 0) });
    expect(rows.count).toBe(4);
    expect(w.shape).toEqual([4, 2]);
    expect(b.size).toBe(4);
    expect([...(await w.read())]).toEqual([3, 3, 1, 1, 1, 1, 0, 0]);
    expect([...(await b.read())]).toEqual([3, 1, 1, 0]);
    expect(await momenta(optimizer, "b")).toEqual([before[2], before[0], 0, 0]);
  });

  test("resets rows by the names of parameters: all, some, or none", async () => {
    const { optimizer, w, b } = threeRows();
    const before = { w: await momenta(optimizer, "w"), b: await momenta(optimizer, "b") };
    const indices = Uint32Array.of(2, 0, 1);
    const rows = optimizer.rows();
    rows.remap(indices, { resetRows: { b: "all" } });
    expect(await momenta(optimizer, "b")).toEqual([0, 0, 0]);
    expect(await momenta(optimizer, "w")).toEqual(
      [...indices].flatMap((row) => before.w.slice(row * 2, row * 2 + 2)),
    );
    expect([...(await b.read())]).toEqual([3, 1, 2]);
    rows.remap(Uint32Array.of(0, 1, newRow), { resetRows: { w: Uint32Array.of(0, 1, 0) } });
    expect((await momenta(optimizer, "w")).slice(2)).toEqual([0, 0, 0, 0]);
    expect([...(await w.read())]).toEqual([3, 3, 1, 1, 0, 0]);
  });

  test("uses the first `count` indices", async () => {
    const { optimizer, b } = threeRows();
    optimizer.rows().remap(Uint32Array.of(1, 2, 77), { count: 2 });
    expect([...(await b.read())]).toEqual([2, 3]);
  });

  test("grows ahead, so that few appends reallocate", () => {
    const b = backend.tensor([4]) as Tensor & { view(): Float32Array };
    const optimizer = createOptimizer(adam(), { b });
    let moves = 0;
    for (let count = 5; count <= 100; count += 1) {
      const { buffer } = b.memory;
      optimizer
        .rows()
        .remap(Uint32Array.from({ length: count }, (_, i) => (i < count - 1 ? i : newRow)));
      if (b.memory.buffer !== buffer) moves += 1;
    }
    // 4 · 1.5ⁿ reaches 100 with n = 8.
    expect(moves).toBeLessThanOrEqual(8);
  });

  test("a slot is reset to the hyperparameter that holds its first value", async () => {
    const b = backend.tensor([2], [1, 2]);
    const optimizer = createOptimizer(adagrad({ initialAccumulatorValue: 0.25 }), { b });
    optimizer.step({ b: Float32Array.of(1, 1) });
    optimizer.rows("b").remap(Uint32Array.of(1, newRow));
    expect((await momenta(optimizer, "b"))[1]).toBe(0.25);
  });

  test("row counts at creation are refused if they fit no parameter", () => {
    const w = backend.tensor([3, 2]);
    const scalar = backend.tensor([]);
    const made = (rowCounts: unknown, parameters: Record<string, Tensor> = { w }): string =>
      codeOf(() => createOptimizer(adam(), parameters, { rowCounts: anything(rowCounts) }));
    expect(made({ v: 2 })).toBe("UNKNOWN_PARAMETER");
    expect(made([2])).toBe("INVALID_PARAMETER");
    expect(made("2")).toBe("INVALID_PARAMETER");
    for (const count of [4, -1, 1.5, Number.NaN, null, undefined, "2"])
      expect(made({ w: count })).toBe("LENGTH_MISMATCH");
    expect(made(2, { scalar })).toBe("INVALID_SHAPE");
    expect(made(backend.tensor([1]))).toBe("UNSUPPORTED");
  });

  test("parameters that the caller has moved are not moved again", async () => {
    const { optimizer, w, b } = threeRows();
    const own = backend.tensor([2, 2], [9, 8, 7, 6]);
    optimizer.rows().remap(Uint32Array.of(1, 2), { parameters: { w: own } });
    expect([...(await own.read())]).toEqual([9, 8, 7, 6]);
    expect(w.shape).toEqual([3, 2]);
    expect(b.shape).toEqual([2]);
    optimizer.learningRate = 1;
    optimizer.momentum = 0;
    optimizer.step({ w: Float32Array.of(9, 8, 7, 6) });
    expect([...(await own.read())]).toEqual([0, 0, 0, 0]);
    expect([...(await w.read())]).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test("capacity is counted in whole rows, for any number of rows", () => {
    // In f64, 22 · (25 / 22) is more than 25, and 11 · (15 / 11) less than 15.
    for (const [rows, capacity] of [
      [22, 25],
      [11, 15],
    ]) {
      const w = backend.wrap(new Float32Array(capacity), { shape: [rows], capacity });
      expect(w.memory.byteLength).toBe(4 * capacity);
    }
  });

  test("caller-owned memory is used up to its capacity", async () => {
    const memory = new Float32Array(10).fill(5);
    const w = backend.wrap(memory, { shape: [2, 2], offset: 1, capacity: 4 });
    const optimizer = createOptimizer(sgd(), { w });
    optimizer.rows().remap(Uint32Array.of(0, 1, newRow, newRow));
    expect([...memory]).toEqual([5, 5, 5, 5, 5, 0, 0, 0, 0, 5]);
    const error = failureOf(() => optimizer.rows().remap(Uint32Array.of(0, 1, 2, 3, 0)));
    expect(error.code).toBe("INVALID_MEMORY");
    expect(error.message).toContain("wrapped memory for 4 rows");
    expect(w.shape).toEqual([4, 2]);
    for (const capacity of [0, 1, 1.5, 5, anything<number>("4")]) {
      const wrap = (): unknown => backend.wrap(memory, { shape: [2, 2], offset: 1, capacity });
      expect(codeOf(wrap)).toBe("INVALID_MEMORY");
    }
    const overlapping = backend.wrap(memory, { shape: [1], offset: 7 });
    const tight = backend.wrap(memory, { shape: [1, 2], offset: 1, capacity: 4 });
    expect(codeOf(() => createOptimizer(sgd(), { tight, overlapping }))).toBe("OVERLAPPING_MEMORY");
  });

  test("invalid calls are refused, and change nothing", async () => {
    const { optimizer, w, b } = threeRows();
    const state = await optimizer.state();
    const rows = optimizer.rows();
    const good = Uint32Array.of(0, 1);
    const other = reference().tensor([2, 2]);
    const freed = backend.tensor([2]);
    freed.free();
    const cases: [string, () => unknown][] = [
      ["INVALID_MEMORY", () => rows.remap(Uint32Array.of(0, 3))],
      ["INVALID_MEMORY", () => rows.remap(anything([0, 1]), { count: 2 })],
      ["INVALID_MEMORY", () => rows.remap(anything(Int32Array.of(0, 1)))],
      ["INVALID_MEMORY", () => rows.remap(backend.tensor([2]))],
      ["LENGTH_MISMATCH", () => rows.remap(new Uint32Array(0))],
      ["INVALID_MEMORY", () => rows.remap(anything(undefined))],
      ["LENGTH_MISMATCH", () => rows.remap(good, { count: 3 })],
      ["LENGTH_MISMATCH", () => rows.remap(good, { count: 1.5 })],
      ["LENGTH_MISMATCH", () => rows.remap(good, { resetRows: Uint32Array.of(1) })],
      ["INVALID_MEMORY", () => rows.remap(good, { resetRows: anything([1, 0]) })],
      ["INVALID_MEMORY", () => rows.remap(good, { resetRows: anything(null) })],
      ["INVALID_MEMORY", () => rows.remap(good, { resetRows: anything(new ArrayBuffer(8)) })],
      ["INVALID_MEMORY", () => rows.remap(good, { resetRows: { w: anything("some") } })],
      ["LENGTH_MISMATCH", () => rows.remap(good, { resetRows: { w: Uint32Array.of(1) } })],
      ["UNKNOWN_PARAMETER", () => rows.remap(good, { resetRows: { x: "all" } })],
      ["UNKNOWN_OPTION", () => rows.remap(good, anything({ counts: 2 }))],
      ["UNKNOWN_OPTION", () => rows.remap(good, anything(null))],
      ["INVALID_PARAMETER", () => rows.remap(good, { parameters: anything(null) })],
      ["UNKNOWN_PARAMETER", () => rows.remap(good, { parameters: { v: backend.tensor([2]) } })],
      ["INVALID_SHAPE", () => rows.remap(good, { parameters: { w: backend.tensor([2, 3]) } })],
      ["INVALID_SHAPE", () => rows.remap(good, { parameters: { w: backend.tensor([3, 2]) } })],
      ["INVALID_PARAMETER", () => rows.remap(good, { parameters: { w: other } })],
      ["DISPOSED", () => rows.remap(good, { parameters: { b: freed } })],
      ["UNKNOWN_PARAMETER", () => rows.remap(good, { copies: { w: backend.tensor([2, 2]) } })],
    ];
    for (const [code, action] of cases) expect(codeOf(action)).toBe(code);
    expect([w.shape, b.shape]).toEqual([[3, 2], [3]]);
    expect(await optimizer.state()).toEqual(state);
    optimizer.dispose();
    expect(codeOf(() => rows.remap(good))).toBe("DISPOSED");
    expect(codeOf(() => optimizer.rows())).toBe("DISPOSED");
  });

  test("a parameter that another optimizer moved is not stepped", () => {
    const w = backend.tensor([3]);
    const [one, other] = [createOptimizer(adam(), { w }), createOptimizer(adam(), { w })];
    one.rows().remap(Uint32Array.of(0));
    expect(codeOf(() => other.step({ w: Float32Array.of(1) }))).toBe("LENGTH_MISMATCH");
    one.step({ w: Float32Array.of(1) });
  });

  test("slots follow a parameter that another optimizer moved", async () => {
    const w = backend.tensor([3], [1, 2, 3]);
    const make = () => createOptimizer(adagrad({ learningRate: 0 }), { w });
    const [one, other] = [make(), make()];
    other.step({ w: Float32Array.of(1, 2, 3) });
    const before = await momenta(other, "w");
    one.rows().remap(Uint32Array.of(newRow, 2, 0, 1, newRow));
    const rows = other.rows();
    expect(rows.count).toBe(3);
    const indices = Uint32Array.of(newRow, 2, 0, 1, newRow);
    expect(codeOf(() => rows.remap(Uint32Array.of(4), { parameters: { w } }))).toBe(
      "INVALID_MEMORY",
    );
    expect(codeOf(() => rows.remap(indices))).toBe("LENGTH_MISMATCH");
    expect(await momenta(other, "w")).toEqual(before);
    rows.remap(indices, { parameters: { w } });
    expect([...(await w.read())]).toEqual([0, 3, 1, 2, 0]);
    const initial = Math.fround(0.1);
    expect(await momenta(other, "w")).toEqual([initial, before[2], before[0], before[1], initial]);

    one.rows().remap(Uint32Array.of(1));
    rows.remap(Uint32Array.of(1), { parameters: { w } });
    expect(await momenta(other, "w")).toEqual([before[2]]);
    other.step({ w: Float32Array.of(1) });
  });

  test("an earlier state can be restored after another optimizer moved the parameter", async () => {
    const w = backend.tensor([3]);
    const [one, other] = [createOptimizer(adam(), { w }), createOptimizer(adam(), { w })];
    other.step({ w: Float32Array.of(1, 2, 3) });
    const state = await other.state();
    one.rows().remap(Uint32Array.of(0));
    const moved = await one.state();
    expect(codeOf(() => other.restore({ ...moved, iterations: 7 }))).toBe("STATE_MISMATCH");
    expect(other.iterations).toBe(1);
    other.restore(state);
    expect(await other.state()).toEqual(state);
  });
});

describe("rows", () => {
  test("must have the same number in all parameters", () => {
    const optimizer = createOptimizer(sgd(), {
      a: backend.tensor([3, 2]),
      b: backend.tensor([2]),
      c: backend.tensor([]),
    });
    expect(codeOf(() => optimizer.rows())).toBe("INVALID_SHAPE");
    expect(codeOf(() => optimizer.rows("c"))).toBe("INVALID_SHAPE");
    expect(codeOf(() => optimizer.rows(anything("d")))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.rows([]))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.rows(["a", "a"]))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.rows(anything(3)))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.rows(anything([Symbol("a")])))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.rows(anything([null])))).toBe("UNKNOWN_PARAMETER");
    expect(optimizer.rows("a").count).toBe(3);
  });

  test("a backend without rows is refused", () => {
    const plain = Object.defineProperty(reference(), "remap", { value: undefined });
    const optimizer = createOptimizer(sgd(), { w: plain.tensor([2]) });
    expect(codeOf(() => optimizer.rows())).toBe("UNSUPPORTED");
    const step = (): void => {
      optimizer.step({ w: numbers(2, 1) }, { rows: Uint32Array.of(1, 1) });
    };
    expect(codeOf(step)).toBe("UNSUPPORTED");
  });
});

describe("a mask", () => {
  test("of the wrong kind is refused, and nothing changes", async () => {
    const w = backend.tensor([2, 2], [1, 2, 3, 4]);
    const s = backend.tensor([]);
    const optimizer = createOptimizer(adam(), { w, s });
    const g = { w: numbers(4, 1) };
    const mask = Uint32Array.of(1, 0);
    const cases: [string, unknown, Record<string, Float32Array>?][] = [
      ["LENGTH_MISMATCH", { rows: Uint32Array.of(1) }],
      ["LENGTH_MISMATCH", { rows: Uint32Array.of(1, 1, 1, 1) }],
      ["INVALID_MEMORY", { rows: Int32Array.of(1, 0) }],
      ["INVALID_MEMORY", { rows: { w: [1, 0] } }],
      ["INVALID_MEMORY", { rows: backend.tensor([2]) }],
      ["UNKNOWN_PARAMETER", { rows: { v: mask } }],
      ["UNKNOWN_OPTION", { rows: 1 }],
      ["UNKNOWN_OPTION", { rows: [1, 0] }],
      ["UNKNOWN_OPTION", { rows: null }],
      ["UNKNOWN_OPTION", { rows: new Map([["w", mask]]) }],
      ["UNKNOWN_OPTION", { row: mask }],
      ["INVALID_HYPERPARAMETER", { rows: mask, unselectedRows: "drop" }],
      ["UNKNOWN_OPTION", mask],
      ["UNKNOWN_OPTION", null],
      ["INVALID_SHAPE", { rows: mask }, { ...g, s: numbers(1, 1) }],
    ];
    for (const [code, options, gradients = g] of cases) {
      const step = (): void => {
        optimizer.step(gradients, anything(options));
      };
      expect(codeOf(step)).toBe(code);
    }
    expect(optimizer.iterations).toBe(0);
    expect([...(await w.read())]).toEqual([1, 2, 3, 4]);
  });

  test("applies to its own step only", async () => {
    const w = backend.tensor([2], [0, 0]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    const gradients = { w: Float32Array.of(1, 1) };
    optimizer.step(gradients, { rows: Uint32Array.of(0, 1) });
    expect([...(await w.read())]).toEqual([0, -1]);
    optimizer.step(gradients);
    expect([...(await w.read())]).toEqual([-1, -2]);
  });
});

describe("a group that is updated every n steps", () => {
  test("has its own step number, which is restored", async () => {
    const make = (values: readonly number[]) => {
      const tensors = { w: backend.tensor([1], [values[0]]), s: backend.tensor([1], [values[1]]) };
      const groups = [{ match: "s", every: 3 }];
      return { tensors, optimizer: createOptimizer(adam(), tensors, { groups }) };
    };
    const alone = backend.tensor([1], [2]);
    const own = createOptimizer(adam(), { s: alone });
    const one = make([1, 2]);
    for (let i = 1; i <= 7; i += 1) {
      const gradient = Float32Array.of(i);
      one.optimizer.step({ w: gradient, s: gradient });
      if (i % 3 === 0) own.step({ s: gradient });
    }
    expect(one.optimizer.groups[0].iterations).toBe(2);
    expect(await one.tensors.s.read()).toEqual(await alone.read());

    const values = await Promise.all([one.tensors.w.read(), one.tensors.s.read()]);
    const two = make(values.map(([value]) => value));
    two.optimizer.restore(structuredClone(await one.optimizer.state()));
    for (let i = 8; i <= 12; i += 1)
      for (const { optimizer } of [one, two])
        optimizer.step({ w: Float32Array.of(i), s: Float32Array.of(i) });
    expect(await two.tensors.s.read()).toEqual(await one.tensors.s.read());
    expect(two.optimizer.groups[0].iterations).toBe(4);
    expect(one.optimizer.config().groups[0]).toMatchObject({ every: 3 });
  });

  test("can be changed between steps; gradients of skipped steps are not needed", () => {
    const tensors = { s: backend.tensor([1]) };
    const optimizer = createOptimizer(sgd(), tensors, { groups: [{ match: "s", every: 2 }] });
    optimizer.step({});
    expect(codeOf(() => optimizer.step({}))).toBe("INVALID_GRADIENT");
    optimizer.step({ s: Float32Array.of(1) });
    optimizer.groups[0].every = 5;
    optimizer.step({});
    expect([optimizer.iterations, optimizer.groups[0].iterations]).toEqual([3, 1]);
    for (const every of [0, -1, 1.5, anything<number>("2"), Infinity]) {
      const set = (): void => {
        optimizer.groups[0].every = every;
      };
      expect(codeOf(set)).toBe("INVALID_HYPERPARAMETER");
    }
    expect(optimizer.groups[0].every).toBe(5);
  });
});
