import { describe, expect, test } from "vitest";
import type { Backend, RowMove, RowSources, Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { adagrad } from "../src/rules/adagrad.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut } from "./laid-out.js";
import { codeOf } from "./support.js";

/** The reference, which notes what it is told to move and moves nothing. */
function noting() {
  const backend = reference();
  const seen: { moves: readonly RowMove[]; sources: RowSources }[] = [];
  backend.remap = (moves, sources) => {
    seen.push({ moves, sources });
  };
  return { backend, seen };
}

test("rows are of parameters that have as many", () => {
  const backend = reference();
  const optimizer = createOptimizer(sgd(), {
    a: backend.tensor([3, 2]),
    b: backend.tensor([2]),
    c: backend.tensor([2, 4]),
  });
  expect(codeOf(() => optimizer.rows())).toBe("INVALID_SHAPE");
  expect(codeOf(() => optimizer.rows(["b", "a"]))).toBe("INVALID_SHAPE");
  expect(optimizer.rows(["b", "c"]).count).toBe(2);
});

describe("a backend is told", () => {
  test("to begin new rows of slots at their first value, of parameters at 0, all of gradients", () => {
    const { backend, seen } = noting();
    const w = backend.tensor([2, 3]);
    const b = backend.tensor([2]);
    const optimizer = createOptimizer(
      adagrad({ initialAccumulatorValue: 0.5 }),
      { w, b },
      { groups: [{ match: "b", initialAccumulatorValue: 0.25 }] },
    );
    const gradient = optimizer.gradient("b");
    const indices = Uint32Array.of(1, 0);
    const resetRows = Uint32Array.of(0, 1);
    optimizer.rows().remap(indices, { resetRows });
    const isSlot = expect.anything() as unknown as Tensor;
    expect(seen).toEqual([
      {
        moves: [
          { tensor: isSlot, initial: 0.5, reset: "flagged" },
          { tensor: w, initial: 0, reset: "added" },
          { tensor: isSlot, initial: 0.25, reset: "flagged" },
          { tensor: b, initial: 0, reset: "added" },
          { tensor: gradient, initial: 0, reset: "all" },
        ],
        sources: { count: 2, indices, resetRows },
      },
    ]);
  });

  test("the slots alone of parameters that were moved already", () => {
    const { backend, seen } = noting();
    const w = backend.tensor([2, 3]);
    const moved = backend.tensor([4, 3]);
    const optimizer = createOptimizer(sgd({ momentum: 0.5 }), { w });
    optimizer.rows().remap(Uint32Array.of(0, 1, 1, 0), { parameters: { w: moved } });
    expect(seen[0].moves.map(({ reset }) => reset)).toEqual(["flagged"]);
    expect(seen[0].moves.some(({ tensor }) => tensor === w || tensor === moved)).toBe(false);
  });

  test("indices and flags in memory that is not looked into, which may be longer", () => {
    const { backend, seen } = noting();
    const optimizer = createOptimizer(sgd(), { w: backend.tensor([2]) });
    const indices = laidOut(backend, { shape: [9], dtype: "u32" });
    const resetRows = laidOut(backend, { shape: [5], dtype: "u32" });
    optimizer.rows().remap(indices, { count: 2, resetRows });
    expect(seen[0].sources).toEqual({ count: 2, indices, resetRows });
    // Without a count, there are as many rows as indices.
    optimizer.rows().remap(laidOut(backend, { shape: [2], dtype: "u32" }));
    expect(seen[1].sources.count).toBe(2);
    const short = laidOut(backend, { shape: [1], dtype: "u32" });
    const rows = optimizer.rows();
    expect(codeOf(() => rows.remap(short, { count: 2 }))).toBe("LENGTH_MISMATCH");
    expect(codeOf(() => rows.remap(indices, { count: 2, resetRows: short }))).toBe(
      "LENGTH_MISMATCH",
    );
    expect(codeOf(() => rows.remap(indices, { count: 0 }))).toBe("LENGTH_MISMATCH");
    expect(codeOf(() => rows.remap(indices, { count: 0xffff_ffff }))).toBe("LENGTH_MISMATCH");
    expect(seen).toHaveLength(2);
  });
});

test("a parameter that replaces another must not lie in memory of the optimizer's others", () => {
  const backend: Backend & { wrap: ReturnType<typeof reference>["wrap"] } = reference();
  const memory = new Float32Array(16);
  const w = backend.tensor([2]);
  const other = backend.wrap(memory.subarray(0, 4));
  const optimizer = createOptimizer(sgd(), { w, other });
  const rows = optimizer.rows("w");
  const indices = Uint32Array.of(0, 1, 1);
  const at = (start: number): Tensor => backend.wrap(memory.subarray(start, start + 3));
  expect(codeOf(() => rows.remap(indices, { parameters: { w: at(3) } }))).toBe(
    "OVERLAPPING_MEMORY",
  );
  expect(rows.count).toBe(2);
  rows.remap(indices, { parameters: { w: at(4) } });
  expect(rows.count).toBe(3);
});

test("rows of an optimizer that was disposed of cannot be moved", () => {
  const backend = reference();
  const optimizer = createOptimizer(sgd(), { w: backend.tensor([2]) });
  const rows = optimizer.rows();
  optimizer.dispose();
  expect(codeOf(() => rows.remap(Uint32Array.of(0, 1)))).toBe("DISPOSED");
});
