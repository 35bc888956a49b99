import type { Count, MatrixPass, Node, Program, Variant } from "@gradstep/core";
import { fusedRowsOf, type FusedRows } from "./fused-rows.js";
import type { KernelProgram } from "./kernel-program.js";
import { passKernelsOf, type PassKernels } from "./pass-kernels.js";

/** The kernels of a pass plan. */
export interface VariantKernels {
  readonly passes: readonly (PassKernels | MatrixPass)[];
  /** Counts of rows or elements, with the kernels that find them where a mask is on the device. */
  readonly counts: readonly CountKernel[];
  /** All passes in one kernel, for tensors of short rows. */
  readonly fused: FusedRows | undefined;
}

/** A count, and a kernel that adds the input `@weight` for each selected row, or column if columns are counted. */
export interface CountKernel {
  readonly count: Count;
  readonly kernel: KernelProgram;
}

/** The same kernels, with gradients multiplied by the scale of the step. */
export function scaledKernelsOf(kernels: VariantKernels): VariantKernels {
  const known = scaledKernels.get(kernels);
  if (known !== undefined) return known;
  const scaled = (kernel: KernelProgram | undefined): KernelProgram | undefined =>
    kernel?.arrays.some(({ name }) => name === "g") === true
      ? { ...kernel, isScaled: true }
      : kernel;
  const { fused } = kernels;
  const all = {
    ...kernels,
    fused: fused && { ...fused, kernel: { ...fused.kernel, isScaled: true } },
    passes: kernels.passes.map((one) =>
      one.kind === "map"
        ? { ...one, matrixReduction: scaled(one.matrixReduction), map: scaled(one.map) }
        : one,
    ),
  };
  scaledKernels.set(kernels, all);
  return all;
}

const scaledKernels = new WeakMap<VariantKernels, VariantKernels>();

export function variantKernelsOf(variant: Variant): VariantKernels {
  const { passes, counts } = variant.passPlan;
  const kernels = passes.map((pass) => (pass.kind === "map" ? passKernelsOf(variant, pass) : pass));
  return {
    passes: kernels,
    counts: counts.map((count) => ({ count, kernel: countKernelOf(variant, count) })),
    fused: fusedRowsOf(variant, kernels),
  };
}

function countKernelOf({ label, scalars }: Variant, { name, of }: Count): KernelProgram {
  const weight: Node = {
    op: "input",
    operands: [],
    value: Number.NaN,
    name: "@weight",
    extent: "tensor",
    varies: false,
    uses: 1,
  };
  const program: Program = {
    nodes: [weight],
    inputs: [{ name: weight.name, node: 0 }],
    outputs: [{ name, node: 0 }],
    source: "",
    fingerprint: "",
  };
  return {
    label,
    over: of === "column" ? "column" : "row",
    program,
    scalars,
    arrays: [{ name: weight.name, extent: "tensor", isWritten: false, isScratch: true }],
    reductions: [{ name, op: "sum", over: "tensor" }],
  };
}
