// What a step counts on the device, and which of its kernels clears gradients.
import type { Count, UnselectedRows, Update, Variant } from "@gradstep/core";
import { expect, test } from "vitest";
import { allocateRun } from "../src/planning/run/run-allocation.js";
import { clearingKernel, clearingKernelOf } from "../src/planning/run/gradient-clearing.js";
import type { PlannedRun } from "../src/planning/run/planned-run.js";
import { ScratchLayout } from "../src/planning/run/scratch-layout.js";
import { emptyKernel, type KernelProgram } from "../src/shaders/kernel-program.js";
import type { VariantKernels } from "../src/shaders/variant-kernels.js";

/** Which counts the device finds, for tensors whose masks are given with what happens to rows that are left out. */
function deviceCounts(
  masks: readonly (UnselectedRows | undefined)[],
  counts: readonly Count[],
): readonly string[] {
  const memory = { buffer: {}, byteOffset: 0, byteLength: 24 };
  const parameter = { shape: [2, 3], size: 6, columns: 3, memory };
  const updates = masks.map((unselectedRows) => ({
    parameter,
    slots: [],
    mask: unselectedRows === undefined ? undefined : {},
    unselectedRows: unselectedRows ?? "keep",
  })) as unknown as readonly Update[];
  const run = {
    variant: { slots: [], matrices: "first", passPlan: { temporaries: [] } } as unknown as Variant,
    updates,
    programs: { counts: counts.map((count) => ({ count, kernel: clearingKernel })) },
    maskOf: () => undefined,
    listOf: () => undefined,
  } as unknown as PlannedRun;
  const allocation = allocateRun(
    run,
    () => ({ length: 1, source: 0, target: 0 }),
    new ScratchLayout(),
  );
  return allocation.deviceCounts.map(({ count }) => count.name);
}

test("the device counts what rows that keep their values leave out", () => {
  const counts: readonly Count[] = [
    { name: "all", of: "element", per: "tensor" },
    { name: "columns", of: "element", per: "column" },
    { name: "rows", of: "element", per: "row" },
    { name: "tensors", of: "tensor", per: "tensor" },
  ];
  const onDevice = ["all", "columns"];
  expect(deviceCounts(["keep"], counts)).toEqual(onDevice);
  expect(deviceCounts([undefined, "keep"], counts)).toEqual(onDevice);
  expect(deviceCounts(["keep", undefined], counts)).toEqual(onDevice);
  // Other rows that are left out are updated by a gradient of 0, which counts.
  for (const masks of [[undefined], ["decay"], ["zero"]] as const)
    expect(deviceCounts(masks, counts)).toEqual([]);
});

const kernelOf = (
  label: string,
  over: KernelProgram["over"],
  names: readonly string[],
): KernelProgram => ({
  ...emptyKernel(
    label,
    names.map((name) => ({ name, extent: "element", isWritten: false, isScratch: false })),
  ),
  over,
});

/** Passes as their levels, and what reduces rows and columns in them, and what does the rest. */
type Pass = readonly [
  level: number,
  matrixReduction: KernelProgram | undefined,
  map?: KernelProgram,
];

function clearingOf(passes: readonly Pass[]): KernelProgram {
  return clearingKernelOf({
    passes: passes.map(([level, matrixReduction, map]) => ({
      kind: "map",
      pass: { level },
      matrixReduction,
      map,
    })),
  } as unknown as VariantKernels);
}

test("gradients are cleared by the last kernel that reads them, if it runs over elements", () => {
  const [first, second] = ["first", "second"].map((label) =>
    kernelOf(label, "element", ["p", "g"]),
  );
  const other = kernelOf("other", "element", ["p"]);
  const rows = kernelOf("rows", "row", ["g"]);
  const sums = kernelOf("sums", "element", ["g"]);
  expect(
    clearingOf([
      [0, undefined, first],
      [1, undefined, second],
    ]),
  ).toBe(second);
  // In the text of a rule, a pass may come before one that runs earlier.
  expect(
    clearingOf([
      [1, undefined, second],
      [0, undefined, first],
    ]),
  ).toBe(second);
  expect(
    clearingOf([
      [0, undefined, first],
      [1, undefined, other],
    ]),
  ).toBe(first);
  expect(clearingOf([[0, sums, first]])).toBe(first);
  // What reduces tiles cannot clear, nor what runs once per row.
  expect(
    clearingOf([
      [0, undefined, first],
      [1, sums],
    ]),
  ).toBe(clearingKernel);
  expect(clearingOf([[0, undefined, rows]])).toBe(clearingKernel);
  expect(clearingOf([[0, undefined, other]])).toBe(clearingKernel);
});
