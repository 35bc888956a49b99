import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { bufferOf, describe, sharedDevice } from "./gpu.js";

describe("a shape that leaves space after each row", async () => {
  const device = await sharedDevice();
  const backend = webgpu({ device });
  const wrap = (bytes: number, options: object): unknown => {
    try {
      return backend.wrap(bufferOf(device, new Float32Array(bytes / 4)), options).shape;
    } catch (error) {
      return `${(error as { code: string }).code}: ${(error as Error).message}`;
    }
  };

  test("array<vec3f> without a stride is refused, with the stride to pass", () => {
    expect(wrap(128, { shape: [8, 3] })).toBe(
      "INVALID_MEMORY: Shape [8, 3] covers 96 of the buffer's 128 bytes, which are 4 values per row. If each row is followed by padding or other fields, as in array<vec3f>, pass rowStride: 4. If the rows have no gaps, pass capacity: 10, or offset: 0 for the first 96 bytes.",
    );
    expect(wrap(64, { shape: [8, 3], dtype: "f16" })).toMatch("pass rowStride: 4.");
    expect(wrap(16_000, { shape: [1000, 3], dtype: "u32" })).toMatch("pass rowStride: 4.");
  });

  test("several array<vec3f> in each row are refused, with the shape to pass", () => {
    const hint = (vectors: number, stride: number): string =>
      `If each three values are followed by padding, as in array<vec3f>, pass shape: [${vectors}, 3] and rowStride: 4; if each row is, rowStride: ${stride}.`;
    expect(wrap(128, { shape: [4, 2, 3] })).toMatch(hint(8, 8));
    expect(wrap(100 * 15 * 16, { shape: [100, 15, 3] })).toMatch(hint(1500, 60));
    expect(wrap(100 * 15 * 16, { shape: [100, 45] })).toMatch(hint(1500, 60));
    expect(wrap(100 * 15 * 16, { shape: [1500, 3], rowStride: 4 })).toEqual([1500, 3]);
    expect(wrap(100 * 15 * 12, { shape: [100, 15, 3] })).toEqual([100, 15, 3]);
  });

  test("a few rows, and one row of several vectors, are refused as well", () => {
    expect(wrap(2 * 15 * 16, { shape: [2, 15, 3] })).toMatch("pass shape: [30, 3]");
    expect(wrap(2 * 15 * 16, { shape: [2, 45] })).toMatch("pass shape: [30, 3]");
    expect(wrap(15 * 16, { shape: [1, 15, 3] })).toMatch("pass shape: [15, 3]");
    expect(wrap(4 * 12, { shape: [4, 2] })).toMatch("pass rowStride: 3.");
    expect(wrap(16, { shape: [1, 3] })).toEqual([1, 3]);
    expect(wrap(15 * 12, { shape: [1, 15, 3] })).toEqual([1, 15, 3]);
  });

  test("structs without a stride are refused", () => {
    expect(wrap(48 * 100, { shape: [100, 3] })).toMatch("pass rowStride: 12.");
    expect(wrap(48 * 100, { shape: [100, 4] })).toMatch("fields, pass rowStride: 12.");
    expect(wrap(64 * 100, { shape: [100, 1] })).toMatch("pass rowStride: 16.");
    expect(wrap(32 * 100, { shape: [100, 3], dtype: "f16" })).toMatch("pass rowStride: 16.");
  });

  test("a stride, a capacity or an offset says what is meant", () => {
    expect(wrap(128, { shape: [8, 3], rowStride: 4 })).toEqual([8, 3]);
    expect(wrap(128, { shape: [8, 3], rowStride: 3 })).toEqual([8, 3]);
    expect(wrap(128, { shape: [8, 3], capacity: 8 })).toEqual([8, 3]);
    expect(wrap(128, { shape: [8, 3], offset: 0 })).toEqual([8, 3]);
  });

  test("buffers that are longer for another reason are wrapped", () => {
    // One value per row, such as a mask: longer buffers have more rows.
    expect(wrap(4000, { shape: [500], dtype: "u32" })).toEqual([500]);
    // No equal space for each row.
    expect(wrap(16_004, { shape: [1000, 3] })).toEqual([1000, 3]);
    expect(wrap(14_000, { shape: [1000, 3] })).toEqual([1000, 3]);
    // Rounded up to a multiple of 256 or 64 bytes.
    expect(wrap(512, { shape: [8, 10] })).toEqual([8, 10]);
    expect(wrap(64, { shape: [2, 4] })).toEqual([2, 4]);
    expect(wrap(256, { shape: [1, 10] })).toEqual([1, 10]);
    // A single number has no rows.
    expect(wrap(16, { shape: [] })).toEqual([]);
  });
});
