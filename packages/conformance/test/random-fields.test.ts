import { bytesPerValue } from "@gradstep/core";
import { expect, test } from "vitest";
import { decodeField, positionsOf, readField, writeField } from "../src/layouts/field.js";
import {
  randomFields,
  type FieldRequest,
  type PlacedField,
} from "../src/suite/random/random-fields.js";
import { Random } from "../src/suite/random/random.js";

const requests: readonly FieldRequest[] = [
  { dtype: "f32", shape: [5, 3] },
  { dtype: "f16", shape: [5] },
  { dtype: "f16", shape: [5, 2] },
  { dtype: "i32", shape: [5, 1, 2], scale: 1e-3 },
  { dtype: "f32", shape: [2], capacity: 5 },
  { dtype: "u32", shape: [], scale: 2 },
];

/** The bytes of a field, with those of its capacity. */
function bytesOf(field: PlacedField): readonly number[] {
  const width = bytesPerValue[field.dtype];
  const { shape, capacity } = field;
  const reserved = { ...field, shape: shape.length > 0 ? [capacity, ...shape.slice(1)] : shape };
  return [...positionsOf(reserved)].flatMap((position) =>
    Array.from({ length: width }, (_, i) => position * width + i),
  );
}

const layouts = Array.from({ length: 200 }, (_, seed) =>
  randomFields(requests, 3, new Random(seed)),
);

test("fields lie in their blocks, and apart from each other", () => {
  for (const { blocks, fields } of layouts) {
    expect(fields.map(({ dtype, shape }) => ({ dtype, shape }))).toEqual(
      requests.map(({ dtype, shape }) => ({ dtype, shape })),
    );
    blocks.forEach((words, block) => {
      const bytes = fields.flatMap((field) => (field.block === block ? bytesOf(field) : []));
      expect(new Set(bytes).size).toBe(bytes.length);
      expect(Math.max(-1, ...bytes)).toBeLessThan(words * 4);
    });
  }
});

test("there are fields of all kinds: dense, with gaps, interleaved, sharing words", () => {
  const all = layouts.flatMap(({ fields }) => fields);
  const [position, half] = [all.filter((_, i) => i % 6 === 0), all.filter((_, i) => i % 6 === 1)];
  expect(position.some(({ rowStride }) => rowStride === 3)).toBe(true);
  expect(position.some(({ rowStride }) => rowStride > 3)).toBe(true);
  expect(new Set(half.map(({ offset }) => offset % 2))).toEqual(new Set([0, 1]));
  expect(new Set(half.map(({ rowStride }) => rowStride % 2))).toEqual(new Set([0, 1]));
  const wordsOf = (field: PlacedField) => new Set(bytesOf(field).map((byte) => byte >> 2));
  const share = layouts.some(({ fields: [, a, b] }) => {
    const words = wordsOf(b);
    return a.block === b.block && [...wordsOf(a)].some((word) => words.has(word));
  });
  expect(share).toBe(true);
});

test("what is written to fields is read from them, and nothing else changes", () => {
  const numbers = [1.5, -2, 0.25, 3, 100, -5.5, 7, 8, 9, 10, 11, 12, 13, 14, 15];
  for (const { blocks, fields } of layouts.slice(0, 50)) {
    const words = blocks.map((length) => new Uint32Array(length).fill(0xabcd_ef01));
    const valuesOf = ({ dtype, shape }: PlacedField): number[] =>
      numbers
        .slice(
          0,
          shape.reduce((n, length) => n * length, 1),
        )
        .map((value) => (dtype === "u32" ? Math.abs(Math.trunc(value)) : value))
        .map((value) => (dtype === "i32" ? Math.trunc(value) : value));
    for (const field of fields) writeField(words[field.block], field, valuesOf(field));
    for (const field of fields) {
      const stored = readField(words[field.block], field);
      expect([...stored]).toEqual(valuesOf(field));
      const { scale } = field;
      const expected = valuesOf(field).map((value) => Math.fround(value * Math.fround(scale)));
      expect([...decodeField(field, stored)]).toEqual(expected);
    }
    words.forEach((block, b) => {
      const owned = new Set(
        fields.flatMap((field) =>
          field.block === b
            ? [...positionsOf(field)].flatMap((position) => {
                const width = bytesPerValue[field.dtype];
                return Array.from({ length: width }, (_, i) => position * width + i);
              })
            : [],
        ),
      );
      const guard = [0x01, 0xef, 0xcd, 0xab];
      const bytes = new Uint8Array(block.buffer);
      expect(bytes.every((byte, i) => owned.has(i) || byte === guard[i % 4])).toBe(true);
    });
  }
});
