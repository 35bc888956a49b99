import { newtonSchulz } from "@gradstep/core/internal";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { encodeModule, type WasmFunction } from "../src/codegen/module-encoder.js";
import { addNewtonSchulz, newtonSchulzScratchBytes } from "../src/codegen/newton-schulz.js";
import { firstDifference } from "./bits.js";

const functions: WasmFunction[] = [];
addNewtonSchulz(functions, "newtonSchulz");
const memory = new WebAssembly.Memory({ initial: 128 });
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(encodeModule(functions)), {
  gradstep: { memory },
});
const iterate = exports.newtonSchulz as (...values: number[]) => void;

const first = 64;
const unused = 1234.5;
const [a, b, c] = [3.4445, -4.775, 2.0315].map(Math.fround);

function bitsOf(value: number): number {
  return new Int32Array(Float32Array.of(value).buffer)[0];
}

/** One iteration in wasm. Fails if it writes to other memory than the result and the scratch memory. */
function iterationOf(
  x: Float32Array,
  [matrices, rows, columns]: readonly [number, number, number],
  coefficients: readonly number[],
  isInPlace: boolean,
): Float32Array {
  const all = new Float32Array(memory.buffer);
  all.fill(unused);
  all.set(x, first);
  const result = isInPlace ? first : first + x.length;
  const scratch = result + x.length;
  const bits = coefficients.map(bitsOf);
  iterate(4 * first, 4 * result, 4 * scratch, matrices, rows, columns, ...bits);
  const end = scratch + newtonSchulzScratchBytes(rows, columns) / 4;
  expect(all.subarray(0, first).every((value) => value === unused)).toBe(true);
  expect(all.subarray(end).every((value) => value === unused)).toBe(true);
  if (!isInPlace) expect(firstDifference(all.slice(first, result), x)).toBe(-1);
  return all.slice(result, scratch);
}

/** The first difference from the reference, with another result and in place; undefined if there is none. */
function difference(
  x: Float32Array,
  shape: readonly [number, number, number],
  coefficients: readonly number[] = [a, b, c],
): string | undefined {
  const [matrices, rows, columns] = shape;
  const expected = new Float32Array(x.length);
  newtonSchulz(x, expected, { matrices, rows, columns }, coefficients, Math.fround);
  for (const isInPlace of [false, true]) {
    const got = iterationOf(x, shape, coefficients, isInPlace);
    const at = firstDifference(got, expected);
    if (at >= 0) return `${at}: got ${got[at]}, expected ${expected[at]}`;
  }
  return undefined;
}

const length = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70 }));

test(`any shape has the bits of the reference (seed ${seed})`, () => {
  fc.assert(
    fc.property(
      fc.tuple(fc.integer({ min: 1, max: 3 }), length, length),
      fc.infiniteStream(fc.float({ min: -1, max: 1, noNaN: true })),
      (shape, stream) => {
        const [matrices, rows, columns] = shape;
        const values = [...stream.take(matrices * rows * columns)];
        expect(difference(Float32Array.from(values), shape)).toBeUndefined();
      },
    ),
    { numRuns: cases(2000, 60), seed },
  );
});

/** Sums longer than a block of terms, and more rows than a block of rows. */
test.each<[number, number]>([
  [257, 3],
  [3, 513],
  [130, 150],
  [270, 129],
])("%i × %i has the bits of the reference", (rows, columns) => {
  const values = Float32Array.from({ length: rows * columns }, (_, i) =>
    Math.fround(Math.sin(i * i + rows) / Math.sqrt(rows)),
  );
  expect(difference(values, [1, rows, columns])).toBeUndefined();
});

test.each([Number.NaN, Infinity, -0, 2 ** -149, 3e38])("with %f among the values", (special) => {
  const values = Float32Array.from({ length: 11 * 13 }, (_, i) => Math.cos(i));
  values[40] = special;
  expect(difference(values, [1, 11, 13])).toBeUndefined();
  expect(difference(values, [1, 13, 11])).toBeUndefined();
});

test("a = 1, b = 0 and c = 0 keeps every value", () => {
  const values = Float32Array.of(-0, Number.NaN, Infinity, 2 ** -149, 1, 3e38);
  expect(difference(values, [1, 2, 3], [1, 0, 0])).toBeUndefined();
  expect(difference(values, [1, 3, 2], [1, 0, 0])).toBeUndefined();
});
