import { describe, expect, test } from "vitest";
import {
  adafactor,
  adagrad,
  adam,
  chain,
  createOptimizer,
  ema,
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
    ["INVALID_SHAPE", "w", { columns: 2 }],
    ["INVALID_SHAPE", "b", { columns: [0, 1] }],
    ["INVALID_SHAPE", undefined, { rows: Uint32Array.of(1, 1, 1) }],
    ["LENGTH_MISMATCH", "w", { rows: Uint32Array.of(1, 1) }],
    ["INVALID_MEMORY", "w", { rows: [0, 1, 2] }],
  ])("%s for %j %j, and nothing has changed", async (code, names, options) => {
    const { optimizer } = stepped(adam());
    const before = await optimizer.state();
    expect(codeOf(() => optimizer.reset(names, anything(options)))).toBe(code);
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
});
