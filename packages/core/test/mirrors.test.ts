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
  /** The sources and targets of calls of `pack`. */
  readonly packed: (readonly [Tensor, Tensor])[];
  /** The mirrors of each run. */
  readonly runs: (Tensor | undefined)[][];
  readonly moves: RowMove[];
  /** What `pack` does with the next target. */
  onPack: (target: Tensor) => void;
}

/** The reference backend, with mirrors that are recorded and not filled. */
function packing(): Packing {
  const backend = reference() as Backend;
  const result: Packing = { backend, packed: [], runs: [], moves: [], onPack: () => {} };
  backend.pack = (source, target) => {
    result.onPack(target);
    result.packed.push([source, target]);
  };
  const compile = backend.compile.bind(backend);
  backend.compile = (variant) => {
    const kernel = compile(variant);
    return {
      ...kernel,
      run: (updates: readonly Update[], count) => {
        result.runs.push(updates.slice(0, count).map(({ mirror }) => mirror));
        kernel.run(updates, count);
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

const mirrorOf = ({ backend }: Packing, shape: readonly number[] = [2, 3]): Tensor =>
  laidOut(backend, { shape, dtype: "f16" });

describe("mirrors of parameters", () => {
  test("are memory that no later parameter may share", () => {
    const one = packing();
    const memory = new Float32Array(16);
    const { w } = make(one);
    // 6 values of 2 bytes, from the third of `memory` on.
    const place = { shape: [2, 3], dtype: "f16", buffer: memory.buffer, byteOffset: 8 } as const;
    const mirrors = { w: laidOut(one.backend, place) };
    const optimizer = createOptimizer(sgd(), { w }, { mirrors });
    const late = (start: number, end: number): Tensor =>
      new HostTensor(one.backend, [end - start], memory.subarray(start, end));
    expect(codeOf(() => optimizer.add({ late: late(0, 3) }))).toBe("OVERLAPPING_MEMORY");
    expect(codeOf(() => optimizer.add({ late: late(4, 8) }))).toBe("OVERLAPPING_MEMORY");
    optimizer.add({ before: late(0, 2), after: late(5, 8) });
  });

  test("are filled when the optimizer is made, and passed to every step", () => {
    const one = packing();
    const { w, b } = make(one);
    const mirror = mirrorOf(one);
    const optimizer = createOptimizer(sgd(), { w, b }, { mirrors: { w: mirror } });
    expect(one.packed).toEqual([[w, mirror]]);
    optimizer.step(gradients);
    optimizer.step({ b: gradients.b });
    expect(one.runs).toEqual([[mirror, undefined], [undefined]]);
    optimizer.dispose();
    expect(mirror.freed).toBe(false);
  });

  test("can be added with parameters", () => {
    const one = packing();
    const { w, b } = make(one);
    const optimizer = createOptimizer(sgd(), { b });
    const mirror = mirrorOf(one);
    optimizer.add({ w }, { mirrors: { w: mirror } });
    expect(one.packed).toEqual([[w, mirror]]);
  });

  test.each<[string, string, (one: Packing, tensors: { w: Tensor; b: Tensor }) => unknown]>([
    ["that are null", "INVALID_PARAMETER", () => null],
    ["that are a number", "INVALID_PARAMETER", () => 1],
    ["in a Map", "INVALID_PARAMETER", (one) => new Map([["w", mirrorOf(one)]])],
    ["that are a tensor", "INVALID_PARAMETER", (one) => mirrorOf(one)],
    ["of nobody", "UNKNOWN_PARAMETER", (one) => ({ v: mirrorOf(one) })],
    ["that are no tensor", "INVALID_PARAMETER", () => ({ w: new Float32Array(6) })],
    ["of plain f32", "INVALID_PARAMETER", ({ backend }) => ({ w: backend.tensor([2, 3]) })],
    [
      "of u32",
      "INVALID_PARAMETER",
      ({ backend }) => ({ w: laidOut(backend, { shape: [2, 3], dtype: "u32" }) }),
    ],
    ["of another backend", "INVALID_PARAMETER", () => ({ w: mirrorOf(packing()) })],
    [
      "of a backend without mirrors",
      "INVALID_PARAMETER",
      (one) => {
        delete one.backend.pack;
        return { w: mirrorOf(one) };
      },
    ],
    [
      "that were freed",
      "DISPOSED",
      (one) => {
        const mirror = mirrorOf(one);
        mirror.free();
        return { w: mirror };
      },
    ],
    ["of another shape", "INVALID_SHAPE", (one) => ({ w: mirrorOf(one, [3, 2]) })],
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
  ])("%s are refused", (_, code, mirrorsOf) => {
    const one = packing();
    const tensors = make(one);
    const mirrors = anything<Record<string, Tensor>>(mirrorsOf(one, tensors));
    expect(codeOf(() => createOptimizer(sgd(), tensors, { mirrors }))).toBe(code);
    const optimizer = createOptimizer(sgd(), {});
    expect(codeOf(() => optimizer.add(tensors, { mirrors }))).toBe(code);
    expect(one.packed).toEqual([]);
    expect(optimizer.parameters).toEqual([]);
  });

  test("that follow one another in one buffer are accepted", () => {
    const one = packing();
    const buffer = {};
    const at = (shape: readonly number[], byteOffset: number): Tensor =>
      laidOut(one.backend, { shape, dtype: "f16", buffer, byteOffset });
    const mirrors = { w: at([2, 3], 0), b: at([2], 12) };
    createOptimizer(sgd(), make(one), { mirrors });
    expect(one.packed.map(([, target]) => target)).toEqual([mirrors.w, mirrors.b]);
  });

  test("that the backend refuses do not add the parameter", () => {
    const one = packing();
    const { w, b } = make(one);
    const optimizer = createOptimizer(sgd(), { b });
    const refusal = new Error("refused");
    one.onPack = () => {
      throw refusal;
    };
    expect(() => optimizer.add({ w }, { mirrors: { w: mirrorOf(one) } })).toThrow(refusal);
    expect(optimizer.parameters).toEqual(["b"]);
    optimizer.add({ w });
    expect(optimizer.parameters).toEqual(["b", "w"]);
  });

  test("share no memory with parameters that are added later", () => {
    const one = packing();
    const { w, b } = make(one);
    const { buffer } = b.memory;
    const mirror = laidOut(one.backend, { shape: [2, 3], dtype: "f16", buffer });
    const optimizer = createOptimizer(sgd(), { w }, { mirrors: { w: mirror } });
    expect(codeOf(() => optimizer.add({ b }))).toBe("OVERLAPPING_MEMORY");
    expect(optimizer.parameters).toEqual(["w"]);
  });
});

describe("mirrors of parameters whose rows move", () => {
  test("move with them, and are filled again", () => {
    const one = packing();
    const { w } = make(one);
    const mirror = mirrorOf(one);
    const optimizer = createOptimizer(sgd(), { w }, { mirrors: { w: mirror } });
    optimizer.rows().remap(Uint32Array.of(1, 0, 1));
    expect(one.moves).toContainEqual({ tensor: mirror, initial: 0, reset: "all" });
    expect(one.packed).toEqual([
      [w, mirror],
      [w, mirror],
    ]);
    optimizer.step({ w: new Float32Array(9) });
    expect(one.runs).toEqual([[mirror]]);
  });

  test("may be replaced by mirrors of the new shape", () => {
    const one = packing();
    const { w, b } = make(one);
    const mirror = mirrorOf(one);
    const optimizer = createOptimizer(sgd(), { w, b }, { mirrors: { w: mirror } });
    const rows = optimizer.rows();
    const indices = Uint32Array.of(0, 1, 1);
    const other = mirrorOf(one, [3, 3]);
    const cases: [string, Record<string, Tensor>][] = [
      ["INVALID_SHAPE", { w: mirrorOf(one) }],
      // It had no mirror to replace.
      ["UNKNOWN_PARAMETER", { b: mirrorOf(one, [3]) }],
      ["UNKNOWN_PARAMETER", { v: other }],
      ["INVALID_PARAMETER", { w: mirrorOf(packing(), [3, 3]) }],
      [
        "OVERLAPPING_MEMORY",
        { w: laidOut(one.backend, { shape: [3, 3], dtype: "f16", buffer: b.memory.buffer }) },
      ],
    ];
    for (const [code, mirrors] of cases)
      expect(codeOf(() => rows.remap(indices, { mirrors }))).toBe(code);
    expect(one.moves).toEqual([]);
    rows.remap(indices, { mirrors: { w: other } });
    expect(one.moves).toContainEqual({ tensor: other, initial: 0, reset: "all" });
    expect(one.moves.some(({ tensor }) => tensor === mirror)).toBe(false);
    expect(one.packed.at(-1)).toEqual([w, other]);
    optimizer.step({ w: new Float32Array(9), b: new Float32Array(3) });
    expect(one.runs).toEqual([[other, undefined]]);
  });
});
