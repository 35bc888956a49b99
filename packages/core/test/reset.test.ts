import { describe, expect, test } from "vitest";
import {
  adafactor,
  adagrad,
  adam,
  chain,
  createOptimizer,
  ema,
  prodigy,
  sgd,
  type Backend,
  type Optimizer,
  type OptimizerSpec,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { anything, codeOf, numbers } from "./support.js";

const backend = reference();

/** An optimizer after one step. */
function stepped(spec: OptimizerSpec) {
  const w = backend.tensor([3, 4], numbers(12, 1));
  const b = backend.tensor([], [2]);
  const optimizer = createOptimizer(spec, { w, b });
  optimizer.step({ w: numbers(12, 2), b: Float32Array.of(1) });
  return { w, b, optimizer };
}

describe("reset", () => {
  test("gives the slots of all parameters their first values, and keeps everything else", async () => {
    const { optimizer, w } = stepped(
      chain(adagrad({ initialAccumulatorValue: 0.5, learningRate: 0.1 }), ema(0.9)),
    );
    const p = await w.read();
    const before = await optimizer.state();
    optimizer.reset();
    const after = await optimizer.state();
    expect(after.slots.w).toEqual({ a: new Float32Array(12).fill(0.5), ema: p });
    expect(after.slots.b.a).toEqual(Float32Array.of(0.5));
    expect({ ...after, slots: {} }).toEqual({ ...before, slots: {} });
    expect(await w.read()).toEqual(p);
    expect(optimizer.iterations).toBe(1);
  });

  test("of one column of some rows, as of opacities that are reset", async () => {
    const { optimizer } = stepped(adam());
    const { m, v } = (await optimizer.state()).slots.w;
    optimizer.reset("w", { rows: Uint32Array.of(1, 0, 7), columns: [3, 4] });
    const isReset = (i: number): boolean => i === 3 || i === 11;
    const { slots } = await optimizer.state();
    expect(slots.w).toEqual({
      m: m.map((value, i) => (isReset(i) ? 0 : value)),
      v: v.map((value, i) => (isReset(i) ? 0 : value)),
    });
    expect(slots.b.m[0]).not.toBe(0);
  });

  test("values of a row are reset with all columns, values of a column with all rows", async () => {
    const { optimizer } = stepped(adafactor());
    const before = (await optimizer.state()).slots.w;
    expect([before.r.length, before.c.length]).toEqual([3, 4]);
    optimizer.reset("w", { columns: [1, 3] });
    const columns = (await optimizer.state()).slots.w;
    expect(columns.r).toEqual(before.r);
    expect([...columns.c]).toEqual([before.c[0], 0, 0, before.c[3]]);
    optimizer.reset("w", { rows: Uint32Array.of(0, 1, 0), columns: [0, 4] });
    const rows = (await optimizer.state()).slots.w;
    expect([...rows.r]).toEqual([before.r[0], 0, before.r[2]]);
    expect(rows.c).toEqual(columns.c);
  });

  test.each([
    ["UNKNOWN_PARAMETER", ["x"], {}],
    ["UNKNOWN_PARAMETER", ["w", "w"], {}],
    ["UNKNOWN_OPTION", "w", { column: [0, 1] }],
    ["INVALID_SHAPE", "w", { columns: [0, 5] }],
    ["INVALID_SHAPE", "w", { columns: [2, 2] }],
    ["INVALID_SHAPE", "w", { columns: [-1, 2] }],
    ["INVALID_SHAPE", "w", { columns: [0, 1.5] }],
    ["INVALID_SHAPE", "w", { columns: [0.5, 2] }],
    ["INVALID_SHAPE", "w", { columns: 2 }],
    ["INVALID_SHAPE", "b", { columns: [0, 1] }],
    ["INVALID_SHAPE", undefined, { rows: Uint32Array.of(1, 1, 1) }],
    ["LENGTH_MISMATCH", "w", { rows: Uint32Array.of(1, 1) }],
    ["INVALID_MEMORY", "w", { rows: [0, 1, 2] }],
  ])("%s for %j %j, and nothing has changed", async (code, names, options) => {
    const { optimizer } = stepped(adam());
    const before = await optimizer.state();
    expect(codeOf(() => optimizer.reset(anything(names), anything(options)))).toBe(code);
    expect(await optimizer.state()).toEqual(before);
  });

  test("refuses parameters that were freed, and rows that another optimizer has moved", async () => {
    const { optimizer, w, b } = stepped(adam());
    const before = await optimizer.state();
    const other = createOptimizer(adam(), { w });
    other.rows().remap(Uint32Array.of(0, 1));
    expect(codeOf(() => optimizer.reset())).toBe("LENGTH_MISMATCH");
    b.free();
    expect(codeOf(() => optimizer.reset("b"))).toBe("DISPOSED");
    expect((await optimizer.state()).slots).toEqual(before.slots);
  });

  test("in the middle of an accumulation, the accumulated gradients stay", async () => {
    const run = async (isReset: boolean) => {
      const w = backend.tensor([2], [1, 2]);
      const optimizer = createOptimizer(adam(), { w }, { accumulate: 2 });
      optimizer.step({ w: Float32Array.of(1, 2) });
      if (isReset) optimizer.reset();
      optimizer.step({ w: Float32Array.of(3, 4) });
      return { values: await w.read(), state: await optimizer.state() };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("SWAPPED between two swaps, DISPOSED after dispose", () => {
    const { optimizer } = stepped(chain(adam(), ema(0.9)));
    optimizer.swap();
    expect(codeOf(() => optimizer.reset())).toBe("SWAPPED");
    optimizer.swap();
    optimizer.dispose();
    expect(codeOf(() => optimizer.reset())).toBe("DISPOSED");
  });

  test("slots with different first values are reset by one run of a kernel, for all parameters", () => {
    const runs: number[][] = [];
    const counting: Backend = reference();
    const compile = counting.compile.bind(counting);
    counting.compile = (variant) => {
      const kernel = compile(variant);
      return {
        ...kernel,
        run: (updates, count) => {
          runs.push(updates.slice(0, count).map(({ slots }) => slots.length));
          kernel.run(updates, count);
        },
      };
    };
    const w = counting.tensor([3, 4]);
    const b = counting.tensor([2]);
    const optimizer = createOptimizer(chain(adam({ amsgrad: true }), ema(0.5)), { w, b });
    optimizer.reset();
    // The first of four slots is what the kernel updates as its parameter.
    expect(runs).toEqual([[3, 3]]);
  });

  test("first values that are hyperparameters are the current ones, also when a reset is repeated", async () => {
    const { optimizer } = stepped(adagrad({ initialAccumulatorValue: 0.5 }));
    for (const first of [0.25, 0.75]) {
      optimizer.initialAccumulatorValue = first;
      optimizer.reset("w");
      expect([...(await optimizer.state()).slots.w.a]).toEqual(numbersOf(first, 12));
    }
  });

  test("after rows were moved, a reset covers the new rows", async () => {
    const { optimizer } = stepped(adam());
    const columns = [1, 3] as const;
    optimizer.reset("w", { columns });
    optimizer.rows("w").remap(Uint32Array.of(2, 1, 0, 2));
    optimizer.step({ w: numbers(16, 3), b: Float32Array.of(1) });
    const { m } = (await optimizer.state()).slots.w;
    optimizer.reset("w", { columns });
    const after = (await optimizer.state()).slots.w.m;
    expect([...after]).toEqual([...m].map((value, i) => ([1, 2].includes(i % 4) ? 0 : value)));
  });

  test("encodeReset records the same updates, takes no arrays, and needs a backend that encodes", () => {
    const recording: Backend = reference();
    const compile = recording.compile.bind(recording);
    const recorded: unknown[] = [];
    recording.compile = (variant) => ({
      ...compile(variant),
      encode: (target, updates, count) =>
        recorded.push([target, updates.slice(0, count).map(({ parameter }) => parameter.shape)]),
    });
    const w = recording.tensor([3, 4]);
    const b = recording.tensor([2]);
    const optimizer = createOptimizer(adam(), { w, b });
    const target = {};
    optimizer.encodeReset(target);
    optimizer.encodeReset(target, "b");
    expect(recorded).toEqual([
      [target, [[3, 4], [2]]],
      [target, [[2]]],
    ]);
    const rows = Uint32Array.of(1, 0, 1);
    expect(codeOf(() => optimizer.encodeReset(target, "w", { rows }))).toBe("INVALID_MEMORY");
    expect(codeOf(() => optimizer.encodeReset(target, anything("x")))).toBe("UNKNOWN_PARAMETER");
    expect(codeOf(() => optimizer.encodeReset(target, "w", anything({ row: 1 })))).toBe(
      "UNKNOWN_OPTION",
    );
    expect(recorded.length).toBe(2);
    const { optimizer: onHost } = stepped(adam());
    expect(codeOf(() => onHost.encodeReset({}))).toBe("UNSUPPORTED");
  });
});

function numbersOf(value: number, length: number): number[] {
  return Array.from({ length }, () => value);
}

describe("slots that all parameters share", () => {
  async function shared(reset: (optimizer: Optimizer) => void): Promise<boolean> {
    const parameters = { w: backend.tensor([3, 4], numbers(12, 1)), b: backend.tensor([2, 4]) };
    const optimizer = createOptimizer(prodigy(), parameters) as Optimizer;
    for (const seed of [2, 3]) optimizer.step({ w: numbers(12, seed), b: numbers(8, seed + 9) });
    const valueOf = async (): Promise<number> => (await optimizer.state()).slots.w.numerator[0];
    expect(await valueOf()).not.toBe(0);
    reset(optimizer);
    return (await valueOf()) === 0;
  }

  test.each<[string, (optimizer: Optimizer) => void, boolean]>([
    ["all parameters", (optimizer) => optimizer.reset(), true],
    ["their names", (optimizer) => optimizer.reset(["b", "w"]), true],
    ["one of them", (optimizer) => optimizer.reset("w"), false],
    ["all of their columns", (optimizer) => optimizer.reset(["w", "b"], { columns: [0, 4] }), true],
    ["some of their columns", (optimizer) => optimizer.reset("w", { columns: [0, 2] }), false],
    ["some rows", (optimizer) => optimizer.reset("w", { rows: Uint32Array.of(1, 1, 1) }), false],
  ])("are reset with all elements of all of them: %s", async (_, reset, expected) => {
    expect(await shared(reset)).toBe(expected);
  });

  test("belong to the parameters of one rule", async () => {
    const parameters = { w: backend.tensor([3]), v: backend.tensor([3]), b: backend.tensor([3]) };
    const groups = [{ match: "b", rule: sgd() }];
    const optimizer = createOptimizer(prodigy(), parameters, { groups }) as Optimizer;
    const gradients = { w: numbers(3, 1), v: numbers(3, 2), b: numbers(3, 3) };
    for (let step = 0; step < 2; step += 1) optimizer.step(gradients);
    for (const [names, isReset] of [
      ["w", false],
      [["v", "w"], true],
    ] as const) {
      optimizer.reset(names);
      const { slots } = await optimizer.state();
      expect([slots.w.numerator[0] === 0, slots.v.numerator[0] === 0]).toEqual([isReset, isReset]);
      expect([...slots.w.m]).toEqual([0, 0, 0]);
    }
  });
});
