import { expect, test } from "vitest";
import {
  bindGroupLayoutKey,
  denseBindingsOf,
  kernelLayoutKey,
  scalarSetLength,
  type DenseKernelLayout,
  type RowKernelLayout,
} from "../src/shaders/kernel-layout.js";
import { emptyKernel, type KernelArray } from "../src/shaders/kernel-program.js";

const plain: RowKernelLayout = {
  bindings: [0, 1, 2],
  mask: false,
  list: false,
  rowScalars: false,
  strides: false,
  widths: false,
  fixedPoint: "none",
  activates: false,
  clears: false,
  copies: 0,
  fused: false,
  halves: false,
};

test("layouts whose shaders differ have keys of their own", () => {
  const flags = Object.entries(plain).flatMap(([name, value]) => (value === false ? [name] : []));
  expect(flags.length).toBe(9);
  const changes: readonly Partial<RowKernelLayout>[] = [
    {},
    ...flags.map((name) => ({ [name]: true })),
    ...(["i32", "u32", "mixed"] as const).map((fixedPoint) => ({ fixedPoint })),
    { copies: 1 },
    { copies: 2 },
    { bindings: [0, 1, 0] },
    { bindings: [0, 1, 1] },
  ];
  const layouts = changes.map((change) => ({ ...plain, ...change }));
  expect(new Set(layouts.map(kernelLayoutKey)).size).toBe(changes.length);
  expect(new Set(layouts.map(bindGroupLayoutKey)).size).toBe(changes.length);
});

test("the scale of the step has room after the scalars", () => {
  const scalars = ["a", "b", "c", "d"];
  expect(scalarSetLength({ scalars })).toBe(16);
  expect(scalarSetLength({ scalars, isScaled: true })).toBe(32);
  expect(scalarSetLength({ scalars: [] })).toBe(16);
});

test("gradients in a second binding of the parameters' buffer are bound like these", () => {
  const arrays = ["p", "g"].map((name): KernelArray => ({
    name,
    extent: "element",
    isWritten: name === "p",
    isScratch: false,
  }));
  const kernel = emptyKernel("test", arrays);
  const accessOf = (gradients: DenseKernelLayout["gradients"]): readonly string[] =>
    denseBindingsOf(kernel, { width: 4, gradients }).map(({ access }) => access);
  expect(accessOf("separate-buffer")).toEqual(["read_write", "read"]);
  // WebGPU allows no binding that is read if another one of the buffer is written.
  expect(accessOf("separate-binding")).toEqual(["read_write", "read_write"]);
  expect(accessOf("shared-binding")).toEqual(["read_write"]);
});
