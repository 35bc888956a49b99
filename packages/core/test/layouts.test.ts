import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import { createOptimizer } from "../src/optimizer/create-optimizer.js";
import { checkDisjoint } from "../src/optimizer/parameters/parameter-checks.js";
import { reference } from "../src/reference.js";
import { sgd } from "../src/rules/sgd.js";
import { laidOut, type Place } from "./laid-out.js";
import { anything, codeOf } from "./support.js";

const backend = reference();
const buffer = {};

/** Fields of an array of structs: rows in one buffer, with the length of a struct between them. */
function field(given: Partial<Place> & Pick<Place, "shape">): Tensor {
  return laidOut(backend, { dtype: "f32", rowStride: 8, buffer, ...given });
}

const areDisjoint = (...tensors: Tensor[]): boolean => {
  const named = tensors.map((tensor, i) => [`t${i}`, tensor] as const);
  try {
    checkDisjoint(named);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "OVERLAPPING_MEMORY" });
    return false;
  }
};

describe("tensors in one buffer", () => {
  // A struct of 8 words: three of position, one of opacity, four of colour.
  const position = { shape: [5, 3], byteOffset: 0 };
  const opacity = { shape: [5], byteOffset: 12 };
  const colour = { shape: [5, 4], byteOffset: 16 };

  test("may be the fields of structs", () => {
    const fields = [position, opacity, colour].map(field);
    expect(areDisjoint(...fields)).toBe(true);
    expect(areDisjoint(...[...fields].reverse())).toBe(true);
    // At any start of the structs, with any number of rows.
    const later = { ...opacity, shape: [2], byteOffset: 12 + 2 * 32 };
    expect(areDisjoint(field(position), field(later), field(colour))).toBe(true);
  });

  test.each<[string, Parameters<typeof field>[0]]>([
    ["the same field", position],
    ["a field that begins in the other", { shape: [5], byteOffset: 8 }],
    ["a field that ends in the other's next row", { shape: [5, 6], byteOffset: 12 }],
    ["a field of a later row", { shape: [2, 3], byteOffset: 32 }],
    ["a field that begins in the middle of one of a later row", { shape: [2], byteOffset: 36 }],
    ["rows of another distance", { shape: [5], byteOffset: 12, rowStride: 16 }],
    ["rows of the same distance in values of another width", { ...opacity, dtype: "f16" }],
  ])("are refused: %s", (_, other) => {
    expect(areDisjoint(field(position), field(other))).toBe(false);
    expect(areDisjoint(field(other), field(position))).toBe(false);
  });

  test("of 16 bits can lie next to those of 32 if their strides in bytes are equal", () => {
    const half = { shape: [5, 2], dtype: "f16", rowStride: 16, byteOffset: 12 } as const;
    expect(areDisjoint(field(position), field(half))).toBe(true);
    expect(areDisjoint(field(position), field({ ...half, byteOffset: 10 }))).toBe(false);
    // Two more of 16 bits fill the struct.
    expect(areDisjoint(field(position), field({ ...half, shape: [5, 10] }))).toBe(true);
    expect(areDisjoint(field(position), field({ ...half, shape: [5, 11] }))).toBe(false);
  });

  test("without rows, or without a layout, must not overlap", () => {
    const plain = (byteOffset: number, length: number): Tensor => {
      const { layout: _, ...rest } = field({ shape: [length], rowStride: 1, byteOffset });
      return { ...rest, freed: false };
    };
    expect(areDisjoint(plain(0, 4), plain(16, 4))).toBe(true);
    expect(areDisjoint(plain(0, 5), plain(16, 4))).toBe(false);
    expect(areDisjoint(plain(0, 1), field({ ...position, byteOffset: 4 }))).toBe(true);
    // In a gap between rows: only other rows may lie there.
    expect(areDisjoint(field(position), plain(12, 1))).toBe(false);
    expect(areDisjoint(field({ shape: [], byteOffset: 0 }), plain(0, 1))).toBe(false);
  });

  test("in different buffers never overlap", () => {
    expect(areDisjoint(field(position), field({ ...position, buffer: {} }))).toBe(true);
  });
});

test("a parameter that was freed is refused, also where its memory does not say so", () => {
  const { layout: _, ...plain } = laidOut(backend, { shape: [2], dtype: "f32" });
  const optimizer = createOptimizer(sgd(), {});
  expect(codeOf(() => optimizer.add({ w: { ...plain, freed: true } }))).toBe("DISPOSED");
  expect(optimizer.parameters).toEqual([]);
});

describe("a layout", () => {
  test("of another type than the backend's is not for parameters", () => {
    for (const dtype of ["f64", "f16", "u32", "i32"] as const) {
      const w = laidOut(backend, { shape: [2, 3], dtype });
      expect(codeOf(() => createOptimizer(sgd(), { w }))).toBe("INVALID_PARAMETER");
    }
  });

  test("with gaps is not for parameters of backends that take none", () => {
    const plain = { ...reference(), precision: "f32", takesLayouts: false, compile: () => {} };
    const w = laidOut(anything(plain), { shape: [2, 3], dtype: "f32", rowStride: 4 });
    expect(codeOf(() => createOptimizer(sgd(), { w }))).toBe("INVALID_PARAMETER");
  });

  test("of u32 is not for gradients, and is for masks", () => {
    const w = backend.tensor([2, 3]);
    const optimizer = createOptimizer(sgd(), { w });
    const mask = laidOut(backend, { shape: [2], dtype: "u32" });
    const step = (gradient: Tensor, rows: Tensor): string => {
      try {
        optimizer.step({ w: gradient }, { rows });
        return "";
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    const gradient = backend.tensor([2, 3]);
    expect(step(laidOut(backend, { shape: [2, 3], dtype: "u32" }), mask)).toBe("INVALID_GRADIENT");
    expect(step(gradient, backend.tensor([2]))).toBe("INVALID_MEMORY");
    expect(step(gradient, laidOut(backend, { shape: [2], dtype: "f32" }))).toBe("INVALID_MEMORY");
    expect(step(gradient, laidOut(reference(), { shape: [2], dtype: "u32" }))).toBe(
      "INVALID_MEMORY",
    );
    expect(step(gradient, laidOut(backend, { shape: [1], dtype: "u32" }))).toBe("LENGTH_MISMATCH");
    expect(step(gradient, laidOut(backend, { shape: [3], dtype: "u32" }))).toBe("LENGTH_MISMATCH");
    const gone = laidOut(backend, { shape: [2], dtype: "u32" });
    gone.free();
    expect(step(gradient, gone)).toBe("DISPOSED");
    expect(optimizer.iterations).toBe(0);
  });
});
