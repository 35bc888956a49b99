import type { Tensor } from "@gradstep/core";
import { fieldOf, positionsOf, readField, writeField } from "../../layouts/field.js";
import { floorFloat16 } from "../../layouts/float16.js";
import { hostOperations } from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { faulty, type LayoutFaults } from "./faulty-layouts.js";
import { bfloat16 } from "./narrow-rounding.js";
import { bytesOf, columnsOf, isDtype, moved, withLayout } from "./tensor-layouts.js";

const { fill } = hostOperations;

function filling(
  name: string,
  change: (target: Tensor, values: ArrayLike<number>) => void,
  options: Pick<LayoutFaults, "isAllowed"> = {},
): Mutant {
  return faulty(name, { operations: { fill: change }, ...options });
}

/** The bits of f16 values, changed. */
function fillBits(
  target: Tensor,
  change: (value: number) => number,
  values: ArrayLike<number>,
): void {
  if (!isDtype(target, "f16")) fill(target, values);
  else fill(target, Array.from(values, change));
}

/** Copies of f32 and f16 that are written wrongly. */
export const copyLayoutMutants: readonly Mutant[] = [
  filling("the halves of words are swapped in f16 copies", (target, values) => {
    if (!isDtype(target, "f16")) {
      fill(target, values);
      return;
    }
    const { words, field } = fieldOf(target);
    const halves = new Uint16Array(words.buffer, words.byteOffset, words.length * 2);
    const places = [...positionsOf(field)];
    const kept = places.map((position) => halves[position]);
    fill(target, values);
    const filled = places.map((position) => halves[position]);
    places.forEach((position, i) => {
      halves[position] = kept[i];
    });
    places.forEach((position, i) => {
      halves[position ^ 1] = filled[i];
    });
  }),
  filling("the other half of each word of an f16 copy is set to 0", (target, values) => {
    if (isDtype(target, "f16")) {
      const { words, field } = fieldOf(target);
      for (const position of positionsOf(field)) words[position >> 1] = 0;
    }
    fill(target, values);
  }),
  filling(
    "f16 copies are cut off and not rounded",
    (target, values) => {
      fillBits(target, (value) => Math.sign(value) * floorFloat16(Math.abs(value)), values);
    },
    { isAllowed: ({ roundsFloat16ToNearest }) => !roundsFloat16ToNearest },
  ),
  filling(
    "f16 copies have no subnormal values",
    (target, values) => {
      fillBits(target, (value) => (Math.abs(value) < 2 ** -14 ? 0 : value), values);
    },
    { isAllowed: ({ flushes }) => flushes },
  ),
  filling("f16 copies are infinite beyond the range", (target, values) => {
    if (!isDtype(target, "f16")) {
      fill(target, values);
      return;
    }
    fill(target, values);
    const { words, field } = fieldOf(target);
    const stored = Array.from(readField(words, field), (value, i) =>
      Math.abs(values[i]) >= 65_520 ? Math.sign(values[i]) * Infinity : value,
    );
    writeField(words, field, stored);
  }),
  filling("f16 copies have 8 bits of fraction", (target, values) => {
    fillBits(target, (value) => bfloat16(value), values);
  }),
  filling("f32 copies are rounded to bfloat16", (target, values) => {
    if (isDtype(target, "f16")) fill(target, values);
    else fill(target, Array.from(values, bfloat16));
  }),
  filling("copies have no gaps between rows", (target, values) => {
    fill(
      withLayout(target, () => ({ rowStride: columnsOf(target) })),
      values,
    );
  }),
  filling("copies begin one value too late", (target, values) => {
    fill(moved(target, 1), values);
  }),
  filling("what lies between the rows of a copy is set to 0", (target, values) => {
    bytesOf(target).fill(0);
    fill(target, values);
  }),
  filling("the last row of a copy is not filled", (target, values) => {
    const { words, field } = fieldOf(target);
    const columns = columnsOf(target);
    const kept = readField(words, field).slice(-columns);
    fill(target, values);
    const stored = readField(words, field);
    stored.set(kept, stored.length - columns);
    writeField(words, field, stored);
  }),
];
