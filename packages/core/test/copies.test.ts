import { describe, expect, test } from "vitest";
import type { Backend, RowMove, Tensor, Update } from "../src/backend/backend.js";
import { HostTensor } from "../src/backend/host-tensor.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut } from "./laid-out.js";
import { anything, codeOf } from "./support.js";

interface Packing {
  readonly backend: Backend;
  /** The sources and targets of calls of `fillCopy`. */
  readonly packed: (readonly [Tensor, Tensor])[];
  /** The copies of each run. */
  readonly runs: Tensor[][][];
  readonly moves: RowMove[];
  /** What `fillCopy` does with the next target. */
  onPack: (target: Tensor) => void;
}

/** The reference backend, with copies that are recorded and not filled. */
function packing(): Packing {
  const backend = reference() as Backend;
  const result: Packing = { backend, packed: [], runs: [], moves: [], onPack: () => {} };
  backend.fillCopy = (source, { target }) => {
    result.onPack(target);
    result.packed.push([source, target]);
  };
  const compile = backend.compile.bind(backend);
  backend.compile = (variant) => {
    const kernel = compile(variant);
    return {
      ...kernel,
      run: (updates: readonly Update[], count) => {
        result.runs.push(
          updates.slice(0, count).map(({ copies }) => copies.map(({ target }) => target)),
        );
        // The copies of these tests have no memory.
        kernel.run(
          updates.map((update) => ({ ...update, copies: [] })),
          count,
        );
      },
    };
  };
  const remap = backend.remap!.bind(backend);
  backend.remap = (moves, sources) => {
    result.moves.push(...moves);
    const onHost = moves.filter(({ tensor }) => tensor instanceof HostTensor);
    remap(onHost, sources);
  };
  return result;
}

const gradients = { w: new Float32Array(6), b: new Float32Array(2) };

function make({ backend }: Packing): { w: Tensor; b: Tensor } {
  return { w: backend.tensor([2, 3]), b: backend.tensor([2]) };
}

const copyOf = ({ backend }: Packing, shape: readonly number[] = [2, 3]): Tensor =>
  laidOut(backend, { shape, dtype: "f16" });

describe("copies of parameters", () => {
  test("are memory that no later parameter may share", () => {
    const one = packing();
    const memory = new Float32Array(16);
    const { w } = make(one);
    // 6 values of 2 bytes, from the third of `memory` on.
    const place = { shape: [2, 3], dtype: "f16", buffer: memory.buffer, byteOffset: 8 } as const;
    const copies = { w: laidOut(one.backend, place) };
    const optimizer = createOptimizer(sgd(), { w }, { copies });
    const late = (start: number, end: number): Tensor =>
      new HostTensor(one.backend, [end - start], memory.subarray(start, end));
    expect(codeOf(() => optimizer.add({ late: late(0, 3) }))).toBe("OVERLAPPING_MEMORY");
    expect(codeOf(() => optimizer.add({ late: late(4, 8) }))).toBe("OVERLAPPING_MEMORY");
    optimizer.add({ before: late(0, 2), after: late(5, 8) });
  });

  test("are filled when the optimizer is made, and passed to every step", () => {
    const one = packing();
    const { w, b } = make(one);
    const copy = copyOf(one);
    const optimizer = createOptimizer(sgd(), { w, b }, { copies: { w: copy } });
    expect(one.packed).toEqual([[w, copy]]);
    optimizer.step(gradients);
    optimizer.step({ b: gradients.b });
    expect(one.runs).toEqual([[[copy], []], [[]]]);
    optimizer.dispose();
    expect(copy.freed).toBe(false);
  });

  test("can be added with parameters", () => {
    const one = packing();
    const { w, b } = make(one);
    const optimizer = createOptimizer(sgd(), { b });
    const copy = copyOf(one);
    optimizer.add({ w }, { copies: { w: copy } });
    expect(one.packed).toEqual([[w, copy]]);
  });

  test.each<[string, string, (one: Packing, tensors: { w: Tensor; b: Tensor }) => unknown]>([
    ["that are null", "INVALID_PARAMETER", () => null],
    ["that are a number", "INVALID_PARAMETER", () => 1],
    ["in a Map", "INVALID_PARAMETER", (one) => new Map([["w", copyOf(one)]])],
    ["that are a tensor", "INVALID_PARAMETER", (one) => copyOf(one)],
    ["of nobody", "UNKNOWN_PARAMETER", (one) => ({ v: copyOf(one) })],
    ["that are no tensor", "INVALID_PARAMETER", () => ({ w: new Float32Array(6) })],
    [
      "with an unknown activation",
      "UNKNOWN_OPTION",
      ({ backend }) => ({ w: { to: backend.tensor([2, 3]), as: "tanh" } }),
    ],
    [
      "with an unknown option",
      "UNKNOWN_OPTION",
      ({ backend }) => ({ w: { to: backend.tensor([2, 3]), at: 1 } }),
    ],
    [
      "of u32",
      "INVALID_PARAMETER",
      ({ backend }) => ({ w: laidOut(backend, { shape: [2, 3], dtype: "u32" }) }),
    ],
    ["of another backend", "INVALID_PARAMETER", () => ({ w: copyOf(packing()) })],
    [
      "of a backend without copies",
      "INVALID_PARAMETER",
      (one) => {
        Object.defineProperty(one.backend, "fillCopy", { value: undefined });
        return { w: copyOf(one) };
      },
    ],
    [
      "that were freed",
      "DISPOSED",
      (one) => {
        const copy = copyOf(one);
        copy.free();
        return { w: copy };
      },
    ],
    ["of another shape", "INVALID_SHAPE", (one) => ({ w: copyOf(one, [3, 2]) })],
    [
      "in the memory of a parameter",
      "OVERLAPPING_MEMORY",
      ({ backend }, { b }) => ({
        w: laidOut(backend, { shape: [2, 3], dtype: "f16", buffer: b.memory.buffer }),
      }),
    ],
    [
      "in the memory of another",
      "OVERLAPPING_MEMORY",
      ({ backend }) => {
        const buffer = {};
        const at = (shape: readonly number[], byteOffset: number): Tensor =>
          laidOut(backend, { shape, dtype: "f16", buffer, byteOffset });
        return { w: at([2, 3], 0), b: at([2], 10) };
      },
    ],
  ])("%s are refused", (_, code, copiesOf) => {
    const one = packing();
    const tensors = make(one);
    const copies = anything<Record<string, Tensor>>(copiesOf(one, tensors));
    expect(codeOf(() => createOptimizer(sgd(), tensors, { copies }))).toBe(code);
    const optimizer = createOptimizer(sgd(), {});
    expect(codeOf(() => optimizer.add(tensors, { copies }))).toBe(code);
    expect(one.packed).toEqual([]);
    expect(optimizer.parameters).toEqual([]);
  });

  test("that follow one another in one buffer are accepted", () => {
    const one = packing();
    const buffer = {};
    const at = (shape: readonly number[], byteOffset: number): Tensor =>
      laidOut(one.backend, { shape, dtype: "f16", buffer, byteOffset });
    const copies = { w: at([2, 3], 0), b: at([2], 12) };
    createOptimizer(sgd(), make(one), { copies });
    expect(one.packed.map(([, target]) => target)).toEqual([copies.w, copies.b]);
  });

  test("that the backend refuses do not add the parameter", () => {
    const one = packing();
    const { w, b } = make(one);
    const optimizer = createOptimizer(sgd(), { b });
    const refusal = new Error("refused");
    one.onPack = () => {
      throw refusal;
    };
    expect(() => optimizer.add({ w }, { copies: { w: copyOf(one) } })).toThrow(refusal);
    expect(optimizer.parameters).toEqual(["b"]);
    optimizer.add({ w });
    expect(optimizer.parameters).toEqual(["b", "w"]);
  });

  test("share no memory with parameters that are added later", () => {
    const one = packing();
    const { w, b } = make(one);
    const { buffer } = b.memory;
    const copy = laidOut(one.backend, { shape: [2, 3], dtype: "f16", buffer });
    const optimizer = createOptimizer(sgd(), { w }, { copies: { w: copy } });
    expect(codeOf(() => optimizer.add({ b }))).toBe("OVERLAPPING_MEMORY");
    expect(optimizer.parameters).toEqual(["w"]);
  });
});

describe("copies of parameters whose rows move", () => {
  test("move with them, and are filled again", () => {
    const one = packing();
    const { w } = make(one);
    const copy = copyOf(one);
    const optimizer = createOptimizer(sgd(), { w }, { copies: { w: copy } });
    optimizer.rows().remap(Uint32Array.of(1, 0, 1));
    expect(one.moves).toContainEqual({ tensor: copy, initial: 0, reset: "written" });
    expect(one.packed).toEqual([
      [w, copy],
      [w, copy],
    ]);
    optimizer.step({ w: new Float32Array(9) });
    expect(one.runs).toEqual([[[copy]]]);
  });

  test("may be replaced by copies of the new shape", () => {
    const one = packing();
    const { w, b } = make(one);
    const copy = copyOf(one);
    const optimizer = createOptimizer(sgd(), { w, b }, { copies: { w: copy } });
    const rows = optimizer.rows();
    const indices = Uint32Array.of(0, 1, 1);
    const other = copyOf(one, [3, 3]);
    const cases: [string, Record<string, Tensor>][] = [
      ["INVALID_SHAPE", { w: copyOf(one) }],
      // It had no copy to replace.
      ["UNKNOWN_PARAMETER", { b: copyOf(one, [3]) }],
      ["UNKNOWN_PARAMETER", { v: other }],
      ["INVALID_PARAMETER", { w: copyOf(packing(), [3, 3]) }],
      [
        "OVERLAPPING_MEMORY",
        { w: laidOut(one.backend, { shape: [3, 3], dtype: "f16", buffer: b.memory.buffer }) },
      ],
    ];
    for (const [code, copies] of cases)
      expect(codeOf(() => rows.remap(indices, { copies }))).toBe(code);
    expect(one.moves).toEqual([]);
    rows.remap(indices, { copies: { w: other } });
    expect(one.moves).toContainEqual({ tensor: other, initial: 0, reset: "written" });
    expect(one.moves.some(({ tensor }) => tensor === copy)).toBe(false);
    expect(one.packed.at(-1)).toEqual([w, other]);
    optimizer.step({ w: new Float32Array(9), b: new Float32Array(3) });
    expect(one.runs).toEqual([[[other], []]]);
  });
});
