import {
  adam,
  chain,
  clipByNorm,
  sgd,
  variantOf,
  type Kernel,
  type Update,
  type Variant,
} from "@gradstep/core";
import { describe, expect, test } from "vitest";
import { wasm, type WasmTensor } from "../src/index.js";

const variant = variantOf(sgd());
const other = variantOf(sgd({ weightDecay: 0.5, weightDecayMode: "l2" }));
/** A variant of several passes, whose kernel has a table of its own. */
const reducing = variantOf(chain(clipByNorm({ clipNorm: 1 }), sgd()));
const rate = variant.scalars.indexOf("learningRate");

/** An update of SGD, `p ← p·decay − g·learningRate`, with a decay and a rate of 1. */
function updateOf(parameter: WasmTensor, gradient: WasmTensor, of: Variant = variant): Update {
  return {
    parameter,
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    gradient,
    mask: undefined,
    unselectedRows: "keep",
    slots: [],
    scalars: new Float64Array(of.scalars.length).fill(1),
  };
}

function setUp(of: Variant = variant) {
  const backend = wasm();
  const [p, g] = [
    backend.tensor([4, 2]),
    backend.tensor([4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
  ];
  const updates = [updateOf(p, g, of)];
  const kernel: Kernel = backend.compile(of);
  kernel.run(updates, 1);
  return { backend, p, g, updates, kernel, of };
}

test("a repeated run uses the scalars of its call", () => {
  const { p, updates, kernel } = setUp();
  const before = [...p.view()];
  updates[0].scalars[rate] = 2;
  kernel.repeater!(updates)!();
  expect([...p.view()]).toEqual(before.map((value, i) => value - 2 * (i + 1)));
  updates[0].scalars[rate] = 3;
  kernel.repeater!(updates)!();
  expect([...p.view()]).toEqual(before.map((value, i) => value - 5 * (i + 1)));
});

test.each([
  ["one pass", variant],
  ["several passes", reducing],
])("a repeated run of %s is right after the memory has grown", (_, of) => {
  const { backend, p, updates, kernel } = setUp(of);
  const before = [...p.view()];
  const repeat = kernel.repeater!(updates)!;
  backend.tensor([2 ** 20]);
  updates[0].scalars[of.scalars.indexOf("learningRate")] = 2;
  repeat();
  // The first run changed zeros with a rate of 1.
  for (const [i, value] of p.view().entries()) expect(value).toBeCloseTo(3 * before[i], 5);
});

const changes: readonly [string, (context: ReturnType<typeof setUp>) => void][] = [
  ["the gradient was staged elsewhere", ({ backend, g }) => g.stage(backend.tensor([8]).view())],
  ["a tensor was reallocated", ({ p }) => p.reallocate([400, 2]).commit()],
  ["a tensor has other rows in place", ({ p }) => p.reallocate([3, 2]).commit()],
  ["a tensor was freed", ({ p }) => p.free()],
  ["the backend was disposed of", ({ backend }) => backend.dispose()],
  ["other updates ran", ({ p, g, kernel, of }) => kernel.run([updateOf(p, g, of)], 1)],
  [
    "the same updates ran with a mask",
    ({ updates, kernel }) => {
      updates[0].mask = Uint32Array.of(1, 0, 1, 1);
      kernel.run(updates, 1);
    },
  ],
];

describe.each([
  ["one pass", variant],
  ["several passes", reducing],
])("a kernel of %s has nothing to repeat after", (_, of) => {
  test.each(changes)("%s", (__, change) => {
    const context = setUp(of);
    expect(context.kernel.repeater!(context.updates)).toBeDefined();
    change(context);
    expect(context.kernel.repeater!(context.updates)).toBeUndefined();
  });
});

test("there is nothing to repeat after another variant ran with the same updates", () => {
  const { backend, updates, kernel } = setUp();
  backend.compile(other).run(updates, 1);
  expect(kernel.repeater!(updates)).toBeUndefined();
});

test("a run of fewer updates than before updates only those", () => {
  const backend = wasm();
  const tensors = Array.from({ length: 6 }, () => backend.tensor([3], [1, 1, 1]));
  const [a, b, c] = tensors;
  const updates = [a, b, c].map((p, i) => updateOf(p, tensors[3 + i]));
  const kernel = backend.compile(variant);
  kernel.run(updates, 3);
  kernel.run(updates, 2);
  expect([a, b, c].map((tensor) => tensor.view()[2])).toEqual([-1, -1, 0]);
});

test("a list that begins later in its arrays has its own first row, even if that is row 0", () => {
  const backend = wasm();
  const make = (): WasmTensor => backend.tensor([4, 2]);
  const rowsOf = (start: number, ...rows: number[]): Update["rows"] => {
    const indices = Uint32Array.from(rows);
    return { indices, gradientRows: indices, start, end: rows.length };
  };
  const gradient = backend.tensor([4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const [a, b] = [make(), make()];
  const updates: Update[] = [
    { ...updateOf(a, gradient), rows: rowsOf(0, 2) },
    { ...updateOf(b, gradient), rows: rowsOf(1, 3, 0, 1) },
  ];
  backend.compile(variant).run(updates, 2);
  expect([...a.view()]).toEqual([0, 0, 0, 0, -5, -6, 0, 0]);
  expect([...b.view()]).toEqual([-1, -2, -3, -4, 0, 0, 0, 0]);
});

test("variants of equal fingerprints share a kernel, compiled once", () => {
  const backend = wasm();
  const first = variantOf(adam());
  const copy = { ...first };
  expect(backend.compile(first)).toBe(backend.compile(first));
  expect(backend.compile(copy).source).toBe(backend.compile(first).source);
});

test("what is no variant is not compiled", () => {
  for (const value of [undefined, null, sgd(), Symbol("s")])
    expect(() => wasm().compile(value as never)).toThrow(
      expect.objectContaining({ code: "INVALID_RULE" }),
    );
});
