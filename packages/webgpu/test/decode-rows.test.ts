import { expect, test } from "vitest";
import { decodeRows } from "../src/memory/decode-rows.js";

test("integers with a scale are rounded to f32 before they are multiplied, as a kernel does it", () => {
  // 2²⁴ + 1 is the first integer that f32 does not hold.
  const bytes = Int32Array.of(2 ** 24 + 1, -3).buffer;
  const layout = { dtype: "i32", rowStride: 1, scale: 3 } as const;
  expect([...decodeRows(bytes, 0, layout, { rows: 2, columns: 1 })]).toEqual([3 * 2 ** 24, -9]);
});
