import { describe, expect, test } from "vitest";
import { adam, chain, clipByGlobalNorm, identity, variantOf } from "../src/index.js";
import type { RowMove, Tensor, Update } from "../src/backend/backend.js";
import { reference } from "../src/reference.js";
import { codeOf } from "./support.js";

/** What is no tensor. */
const others: readonly unknown[] = [
  undefined,
  null,
  1,
  "text",
  [],
  {},
  new Map(),
  Promise.resolve(),
  new Float32Array(6),
];

const backend = reference();
const matrix = (): Tensor => backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
const large = backend.tensor([7]);
const move = (changes: object = {}): RowMove => ({
  tensor: matrix(),
  initial: 0,
  reset: "added",
  ...changes,
});
const sources = { count: 3, indices: Uint32Array.of(2, 1, 0) };
const kernel = backend.compile(variantOf(chain(clipByGlobalNorm(1), adam())));
const foreign = reference().compile(variantOf(adam()));
const update = (changes: object = {}): Update =>
  ({ parameter: matrix(), gradient: matrix(), ...changes }) as Update;
const run = (changes: object): unknown =>
  backend.runTogether!([{ kernel, updates: [update()], count: 1, ...changes }]);
const remap = (moves: unknown, from: object = sources): unknown =>
  backend.remap!(moves as never, from as never);

describe("methods of a backend in host memory, called with anything", () => {
  test.each<[string, string, readonly unknown[], (value: never) => unknown]>([
    ["the source of copy", "INVALID_PARAMETER", others, (value) => backend.copy!(value, matrix())],
    ["the target of copy", "INVALID_PARAMETER", others, (value) => backend.copy!(matrix(), value)],
    ["its size", "LENGTH_MISMATCH", [large], (value) => backend.copy!(matrix(), value)],
    [
      "the parameter of fillCopy",
      "INVALID_PARAMETER",
      others,
      (value) => backend.fillCopy!(value, { target: matrix(), activation: identity }),
    ],
    [
      "the copy of fillCopy",
      "INVALID_PARAMETER",
      others,
      (value) => backend.fillCopy!(matrix(), value),
    ],
    [
      "the target of fillCopy",
      "INVALID_PARAMETER",
      others,
      (target) => backend.fillCopy!(matrix(), { target, activation: identity }),
    ],
    [
      "the activation of fillCopy",
      "INVALID_PARAMETER",
      others,
      (activation) => backend.fillCopy!(matrix(), { target: matrix(), activation }),
    ],
    [
      "the size of fillCopy",
      "LENGTH_MISMATCH",
      [large],
      (target) => backend.fillCopy!(matrix(), { target, activation: identity }),
    ],
    [
      "moves",
      "INVALID_PARAMETER",
      others.filter((one) => !Array.isArray(one)),
      (value) => remap(value),
    ],
    ["a move", "INVALID_PARAMETER", others, (value) => remap([value])],
    ["a moved tensor", "INVALID_PARAMETER", others, (tensor) => remap([move({ tensor })])],
    [
      "initial values",
      "INVALID_PARAMETER",
      others.filter((one) => typeof one !== "number"),
      (initial) => remap([move({ initial })]),
    ],
    ["which rows are reset", "INVALID_MEMORY", others, (reset) => remap([move({ reset })])],
    ["sources", "INVALID_PARAMETER", others, (value) => backend.remap!([move()], value)],
    [
      "the count of rows",
      "INVALID_PARAMETER",
      [...others.filter((one) => typeof one !== "number"), 0, -1, 1.5, NaN],
      (count) => remap([move()], { ...sources, count }),
    ],
    ["indices", "INVALID_MEMORY", others, (indices) => remap([move()], { ...sources, indices })],
    [
      "fewer indices",
      "LENGTH_MISMATCH",
      [Uint32Array.of(0, 1)],
      (indices) => remap([move()], { ...sources, indices }),
    ],
    [
      "an index that is too large",
      "INVALID_MEMORY",
      [Uint32Array.of(0, 1, 3)],
      (indices) => remap([move()], { ...sources, indices }),
    ],
    [
      "runs",
      "INVALID_PARAMETER",
      others.filter((one) => !Array.isArray(one)),
      (value) => backend.runTogether!(value),
    ],
    ["a run", "INVALID_PARAMETER", others, (value) => backend.runTogether!([value])],
    ["a kernel", "INVALID_PARAMETER", [...others, foreign], (one) => run({ kernel: one })],
    ["updates", "INVALID_PARAMETER", others, (updates) => run({ updates })],
    ["an update", "INVALID_PARAMETER", others, (one) => run({ updates: [one] })],
    [
      "the gradient of an update",
      "INVALID_PARAMETER",
      others,
      (gradient) => run({ updates: [update({ gradient })] }),
    ],
    [
      "the count of updates",
      "INVALID_PARAMETER",
      [...others.filter((one) => typeof one !== "number"), -1, 0.5, 2, NaN],
      (count) => run({ count }),
    ],
  ])("%s", (_, code, wrong, call) => {
    for (const value of wrong)
      expect([value, codeOf(() => call(value as never))]).toEqual([value, code]);
  });
});

test("a remap that is refused leaves the tensors before it as they were", async () => {
  const first = matrix();
  expect(codeOf(() => remap([move({ tensor: first }), move({ tensor: null })]))).toBe(
    "INVALID_PARAMETER",
  );
  expect([first.shape, [...(await first.read())]]).toEqual([
    [3, 2],
    [1, 2, 3, 4, 5, 6],
  ]);
});

test("a copy fills the rows of its target, and neither gaps nor capacity", () => {
  const memory = new Float32Array(9).fill(7);
  const target = backend.wrap(memory, { shape: [2, 2], rowStride: 3, capacity: 3 });
  backend.copy!(backend.tensor([2, 2], [1, 2, 3, 4]), target);
  expect([...memory]).toEqual([1, 2, 7, 3, 4, 7, 7, 7, 7]);
});
