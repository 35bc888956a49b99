import { adam, sgd, variantOf, type Update, type Variant } from "@gradstep/core";
import { expect, test } from "vitest";
import { wasm } from "../src/index.js";
import { createHeap } from "../src/memory/growable-heap.js";
import { WasmTensor } from "../src/memory/wasm-tensor.js";
import { BatchTable } from "../src/planning/batch-table.js";

const plain = variantOf(sgd());
const momentum = variantOf(adam());

function setUp() {
  const heap = createHeap(2 ** 26);
  const context = { backend: wasm(), heap, isShared: false, onRelocate: () => {} };
  const tensor = (size: number): WasmTensor => new WasmTensor(context, [size]).allocate();
  const update = (variant: Variant, size: number): Update => ({
    parameter: tensor(size),
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    gradient: tensor(size),
    mask: undefined,
    unselectedRows: "keep",
    slots: variant.slots.map(() => tensor(size)),
    scalars: new Float64Array(variant.scalars.length),
  });
  const batch = new BatchTable(heap);
  return { batch, update };
}

test("entries of another length have another layout, even where sizes happen to be in the same words", () => {
  const { batch, update } = setUp();
  // The table is long enough for all that follows.
  const many = Array.from({ length: 8 }, () => update(momentum, 5));
  batch.fill(momentum, many, many.length);
  const first = [update(plain, 5), update(plain, 5)];
  batch.fill(plain, first, 2);
  const before = batch.layoutVersion;
  // The first word of Adam's second entry is where plain SGD's second gradient was.
  const size = batch.words[6];
  expect(size).toBe((first[1].gradient as WasmTensor).address);
  batch.fill(momentum, [update(momentum, 5), update(momentum, size)], 2);
  expect(batch.layoutVersion).not.toBe(before);
});

test("a fill that fails midway leaves a layout that is divided again", () => {
  const { batch, update } = setUp();
  const good = [update(plain, 5), update(plain, 6)];
  batch.fill(plain, good, 2);
  const before = batch.layoutVersion;
  const bad = [update(plain, 9), update(plain, 6)];
  bad[1].gradient.free();
  expect(() => batch.fill(plain, bad, 2)).toThrow(expect.objectContaining({ code: "DISPOSED" }));
  expect(batch.matches(plain, good)).toBe(false);
  batch.fill(plain, [update(plain, 9), update(plain, 6)], 2);
  expect(batch.layoutVersion).not.toBe(before);
});
