import { newtonSchulz } from "@gradstep/core/internal";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { NewtonSchulz } from "../src/matrices/newton-schulz.js";

const coefficients = [3.4445, -4.775, 2.0315].map(Math.fround) as [number, number, number];

const length = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }));
const matrices = fc
  .tuple(fc.integer({ min: 1, max: 3 }), length, length)
  .chain(([count, rows, columns]) =>
    fc.record({
      dimensions: fc.constant({ matrices: count, rows, columns }),
      values: fc.array(fc.float({ min: -1, max: 1, noNaN: true }), {
        minLength: count * rows * columns,
        maxLength: count * rows * columns,
      }),
    }),
  );

describe(`any shape (seed ${seed})`, () => {
  test("exact: the bits of the reference, also in place", () => {
    const kernel = new NewtonSchulz(Math.fround);
    fc.assert(
      fc.property(matrices, ({ dimensions, values }) => {
        const x = Float32Array.from(values);
        const expected = new Float32Array(x.length);
        newtonSchulz(x, expected, dimensions, coefficients, Math.fround);
        const result = new Float32Array(x.length);
        kernel.run(x, result, dimensions, coefficients);
        expect(x).toEqual(Float32Array.from(values));
        expect(result).toEqual(expected);
        kernel.run(x, x, dimensions, coefficients);
        expect(x).toEqual(expected);
      }),
      { numRuns: cases(2000, 100), seed },
    );
  });

  test("otherwise: the f32 next to the result in f64", () => {
    const kernel = new NewtonSchulz((value) => value);
    fc.assert(
      fc.property(matrices, ({ dimensions, values }) => {
        const x = Float32Array.from(values);
        const expected = new Float64Array(x.length);
        newtonSchulz(x, expected, dimensions, coefficients, (value) => value);
        kernel.run(x, x, dimensions, coefficients);
        // The order of the sums is the same; only the last operation is rounded.
        expect(x).toEqual(Float32Array.from(expected));
      }),
      { numRuns: cases(2000, 100), seed },
    );
  });
});

test("a = 1, b = 0 and c = 0 keeps every value", () => {
  const x = Float32Array.of(-0, Number.NaN, Infinity, 2 ** -149, 1, 3e38);
  const result = new Float32Array(6);
  new NewtonSchulz(Math.fround).run(x, result, { matrices: 1, rows: 2, columns: 3 }, [1, 0, 0]);
  expect(result).toEqual(x);
});
