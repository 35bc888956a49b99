import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { newRow, type Backend, type RowMove } from "../src/backend/backend.js";
import type { RowSources, Tensor } from "../src/backend/backend.js";
import type { HostTensor } from "../src/backend/host-tensor.js";
import { remapRows } from "../src/backend/host-row-remap.js";
import { endOfRun } from "../src/backend/row-runs.js";
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

test("a copy that replaces another has fewer rows where rows are removed", async () => {
  const backend = reference();
  const w = backend.tensor([4, 1], [1, 2, 3, 4]);
  const [before, after] = [backend.tensor([4, 1]), backend.tensor([2, 1])];
  const optimizer = createOptimizer(adagrad(), { w }, { copies: { w: before } });
  // A backend that is handed the copy first checks no index against its rows either.
  const remap = backend.remap!.bind(backend);
  backend.remap = (moves, sources) => remap([...moves].reverse(), sources);
  const last = backend.wrap(Uint32Array.of(3, 9));
  optimizer.rows("w").remap(last, { copies: { w: { to: after } } });
  expect([...(await w.read())]).toEqual([4, 0]);
  expect([...(await after.read())]).toEqual([4, 0]);
  optimizer.rows("w").remap(Uint32Array.of(1, 0), { copies: { w: { to: after } } });
  expect([...(await after.read())]).toEqual([0, 4]);
  const one = backend.tensor([1, 1]);
  expect(
    codeOf(() => optimizer.rows("w").remap(Uint32Array.of(2), { copies: { w: { to: one } } })),
  ).toBe("INVALID_MEMORY");
  optimizer.rows("w").remap(Uint32Array.of(1), { copies: { w: { to: one } } });
  expect([...(await one.read())]).toEqual([4]);
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
          { tensor: isSlot, initial: 0.5, reset: resetRows },
          { tensor: w, initial: 0, reset: "added" },
          { tensor: isSlot, initial: 0.25, reset: resetRows },
          { tensor: b, initial: 0, reset: "added" },
          { tensor: gradient, initial: 0, reset: "all" },
        ],
        sources: { count: 2, indices },
      },
    ]);
  });

  test("the slots alone of parameters that were moved already", () => {
    const { backend, seen } = noting();
    const w = backend.tensor([2, 3]);
    const moved = backend.tensor([4, 3]);
    const optimizer = createOptimizer(sgd({ momentum: 0.5 }), { w });
    optimizer.rows().remap(Uint32Array.of(0, 1, 1, 0), { parameters: { w: moved } });
    expect(seen[0].moves.map(({ reset }) => reset)).toEqual(["added"]);
    expect(seen[0].moves.some(({ tensor }) => tensor === w || tensor === moved)).toBe(false);
  });

  test("indices and flags in memory that is not looked into, which may be longer", () => {
    const { backend, seen } = noting();
    const optimizer = createOptimizer(sgd(), { w: backend.tensor([2]) });
    const indices = laidOut(backend, { shape: [9], dtype: "u32" });
    const resetRows = laidOut(backend, { shape: [5], dtype: "u32" });
    optimizer.rows().remap(indices, { count: 2, resetRows });
    expect(seen[0].sources).toEqual({ count: 2, indices });
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

describe("in host memory", () => {
  /** Rows with all values of a row equal, so that a row is one number. */
  const ofRows = (rows: readonly number[], length: number): number[] =>
    rows.flatMap((row) => Array<number>(length).fill(row));

  test("each row is the one it was told to be, or new, in the same memory or in larger", () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 3 }));
    const cases = sizes.chain(([count, length]) => {
      const source = fc.oneof(fc.nat({ max: count - 1 }), fc.constant(newRow));
      const target = fc.tuple(source, fc.boolean());
      const kept = fc.nat({ max: count }).map((end) => Array.from({ length: end }, (_, i) => i));
      return fc.tuple(
        fc.constant(count),
        fc.constant(length),
        kept,
        fc.array(target, { minLength: 1, maxLength: 9 }),
        fc.constantFrom("all", "added", "flags" as const),
      );
    });
    fc.assert(
      fc.property(cases, ([count, length, kept, targets, mode]) => {
        const from = [...kept, ...targets.map(([source]) => source)];
        const flags = [...kept.map(() => false), ...targets.map(([, flag]) => flag)];
        const before = Array.from({ length: count }, (_, i) => 10 + i);
        const added = from.map((_, i) => 100 + i);
        const backend = reference();
        const values = backend.tensor([count, length], ofRows(before, length));
        const copied = backend.tensor([count, length], ofRows(before, length));
        const source = backend.tensor([from.length, length], ofRows(added, length));
        const reset = mode === "flags" ? Uint32Array.from(flags, Number) : mode;
        remapRows(
          [
            { tensor: values, initial: 0.5, reset },
            { tensor: copied, initial: source, reset },
          ],
          {
            count: from.length,
            // Longer than the number of rows.
            indices: Uint32Array.of(...from, 0),
          },
        );
        const isNew = (row: number): boolean =>
          mode === "all" || from[row] === newRow || (mode === "flags" && flags[row]);
        const expected = (initial: (row: number) => number): number[] =>
          ofRows(
            from.map((one, row) => (isNew(row) ? initial(row) : before[one])),
            length,
          );
        expect([...(values as HostTensor).view()]).toEqual(expected(() => 0.5));
        expect([...(copied as HostTensor).view()]).toEqual(expected((row) => added[row]));
        expect(values.shape).toEqual([from.length, length]);
      }),
    );
  });

  test("rows are moved within their memory, behind rows that stay", () => {
    const backend = reference();
    const tensor = backend.tensor([6, 3], ofRows([10, 11, 12, 13, 14, 15], 3));
    const indices = Uint32Array.of(0, 1, 5, 1, 3);
    const move: RowMove = { tensor, initial: 0, reset: "added" };
    remapRows([move], { count: 5, indices });
    expect([...(tensor as HostTensor).view()]).toEqual(ofRows([10, 11, 15, 11, 13], 3));
  });

  test("a tensor whose memory cannot grow leaves all as they were", () => {
    const backend = reference();
    const free = backend.tensor([2], [1, 2]);
    const wrapped = backend.wrap(Float32Array.of(3, 4));
    const moves = [free, wrapped].map((tensor): RowMove => ({
      tensor,
      initial: 0,
      reset: "added",
    }));
    const indices = Uint32Array.of(1, 0, newRow);
    const sources = { count: 3, indices };
    expect(codeOf(() => remapRows(moves, sources))).toBe("INVALID_MEMORY");
    expect([...(free as HostTensor).view(), ...(wrapped as HostTensor).view()]).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test.each([
    [
      [1, 2, 0, 0, 0, 3],
      [2, 5, 6],
    ],
    [[0], [1]],
    [
      [0, 0, 1],
      [2, 3],
    ],
    [[1, 1], [2]],
    [
      [0, 1, 0],
      [1, 2, 3],
    ],
  ])("runs of the mask %j end at %j", (mask, ends) => {
    const found: number[] = [];
    for (let first = 0; first < mask.length; first = found.at(-1)!) {
      const end = endOfRun(Uint32Array.from(mask), first);
      // A run that does not end behind its beginning would never end.
      expect(end).toBeGreaterThan(first);
      found.push(end);
    }
    expect(found).toEqual(ends);
  });
});
