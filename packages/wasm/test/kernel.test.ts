import { adam, sgd, variantOf, type Kernel, type Update } from "@gradstep/core";
import { expect, test } from "vitest";
import { wasm, type WasmTensor } from "../src/index.js";

const variant = variantOf(sgd());
const other = variantOf(sgd({ weightDecay: 0.5, weightDecayMode: "l2" }));
const rate = variant.scalars.indexOf("learningRate");

/** An update of SGD, `p ← p·decay − g·learningRate`, with a decay and a rate of 1. */
function updateOf(parameter: WasmTensor, gradient: WasmTensor): Update {
  return {
    parameter,
    copies: [],
    gradientActivation: undefined,
    clearsGradient: false,
    gradient,
    mask: undefined,
    unselectedRows: "keep",
    slots: [],
    scalars: new Float64Array(variant.scalars.length).fill(1),
  };
}

function setUp() {
  const backend = wasm();
  const [p, g] = [
    backend.tensor([4, 2]),
    backend.tensor([4, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)),
  ];
  const updates = [updateOf(p, g)];
  const kernel: Kernel = backend.compile(variant);
  kernel.run(updates, 1);
  return { backend, p, g, updates, kernel };
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

test("a repeated run is right after the memory has grown", () => {
  const { backend, p, updates, kernel } = setUp();
  const before = [...p.view()];
  const repeat = kernel.repeater!(updates)!;
  backend.tensor([2 ** 20]);
  updates[0].scalars[rate] = 2;
  repeat();
  expect([...p.view()]).toEqual(before.map((value, i) => value - 2 * (i + 1)));
});

test.each<[string, (context: ReturnType<typeof setUp>) => void]>([
  ["the gradient was staged elsewhere", ({ backend, g }) => g.stage(backend.tensor([8]).view())],
  ["a tensor was reallocated", ({ p }) => p.reallocate([400, 2]).commit()],
  ["a tensor has other rows in place", ({ p }) => p.reallocate([3, 2]).commit()],
  ["a tensor was freed", ({ p }) => p.free()],
  ["the backend was disposed of", ({ backend }) => backend.dispose()],
  ["other updates ran", ({ p, g, kernel }) => kernel.run([updateOf(p, g)], 1)],
  [
    "another variant ran with the same updates",
    ({ backend, updates }) => backend.compile(other).run(updates, 1),
  ],
  [
    "the same updates ran with a mask",
    ({ updates, kernel }) => {
      updates[0].mask = Uint32Array.of(1, 0, 1, 1);
      kernel.run(updates, 1);
    },
  ],
])("there is nothing to repeat after %s", (_, change) => {
  const context = setUp();
  expect(context.kernel.repeater!(context.updates)).toBeDefined();
  change(context);
  expect(context.kernel.repeater!(context.updates)).toBeUndefined();
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
