import type { Variant } from "@gradstep/core";
import { emitDenseKernel } from "../src/shaders/dense-kernel.js";
import type { DenseKernelLayout, RowKernelLayout } from "../src/shaders/kernel-layout.js";
import { isUniform, type KernelProgram } from "../src/shaders/kernel-program.js";
import { emitMatrixReductionKernel } from "../src/shaders/matrix-reduction-kernel.js";
import { plainRowLayout } from "../src/shaders/row-bindings.js";
import { emitFusedRowKernel } from "../src/shaders/fused-row-kernel.js";
import { emitRowKernel } from "../src/shaders/row-kernel.js";
import { scaledKernelsOf, variantKernelsOf } from "../src/shaders/variant-kernels.js";

/** The layouts of gradients that a kernel can have. */
function isPossible({ arrays }: KernelProgram, gradients: string): boolean {
  const [p, g] = arrays;
  return gradients === "separate-buffer" || (p.name === "p" && p.isWritten && g?.name === "g");
}

/** Whether an elementwise kernel reads nothing per row or column, and reduces nothing. */
function isOfElements({ over, arrays, reductions }: KernelProgram): boolean {
  return (
    over === "element" &&
    reductions.length === 0 &&
    arrays.every((array) => array.extent === "element" || isUniform(array))
  );
}

/** The shaders of a variant that update plain tensors. */
export function denseSources(
  variant: Variant,
  layouts: readonly DenseKernelLayout[],
): readonly string[] {
  return mapKernels(variant).flatMap((kernel) =>
    kernel.over === "element" &&
    kernel.arrays.every((array) => array.extent === "element" || isUniform(array))
      ? layouts
          .filter(({ gradients }) => isPossible(kernel, gradients))
          .map((layout) => emitDenseKernel(kernel, layout))
      : [],
  );
}

/** What row kernels are emitted for: features of their layout, and whether all arrays are in one buffer. */
export interface RowFeatures extends Partial<Omit<RowKernelLayout, "bindings">> {
  readonly isShared?: boolean;
  /** Whether gradients are multiplied by the scale of the step. */
  readonly isScaled?: boolean;
}

/** The layouts that tests compile: each feature alone, and all together. */
export const rowFeatures: readonly RowFeatures[] = [
  {},
  { mask: true },
  { list: true },
  { list: true, rowScalars: true, isScaled: true },
  { copies: 1 },
  { mask: true, copies: 1, halves: true },
  { isShared: true },
  { isShared: true, mask: true, strides: true },
  { strides: true, widths: true },
  { strides: true, fixedPoint: "i32" },
  { fixedPoint: "u32" },
  { activates: true, clears: true },
  { list: true, strides: true, activates: true, fixedPoint: "mixed", isScaled: true },
  {
    isScaled: true,
    isShared: true,
    mask: true,
    strides: true,
    widths: true,
    fixedPoint: "mixed",
    activates: true,
    clears: true,
    copies: 2,
    halves: true,
  },
];

/** The shaders of a variant that update tensors by rows. */
export function rowSources(variant: Variant, all: readonly RowFeatures[]): readonly string[] {
  const { passes } = variantKernelsOf(variant);
  const reductions = passes.flatMap((pass) =>
    pass.kind === "map" && pass.matrixReduction !== undefined ? [pass.matrixReduction] : [],
  );
  const layoutOf = (
    kernel: KernelProgram,
    { isShared, ...features }: RowFeatures,
  ): RowKernelLayout => {
    const layout = plainRowLayout(kernel, features);
    return isShared === true ? { ...layout, bindings: layout.bindings.map(() => 0) } : layout;
  };
  const writesParameter = ({ arrays }: KernelProgram): boolean =>
    arrays.some(({ name, isWritten }) => name === "p" && isWritten);
  return [
    ...mapKernels(variant).flatMap((kernel) =>
      all
        .filter(({ list }) => list !== true || isOfElements(kernel))
        .map(({ isScaled = false, ...features }) =>
          emitRowKernel(
            { ...kernel, isScaled },
            layoutOf(kernel, writesParameter(kernel) ? features : { ...features, copies: 0 }),
          ),
        ),
    ),
    ...reductions.flatMap((kernel) =>
      all
        .filter(({ list }) => list !== true)
        .map(({ isScaled = false, ...features }) =>
          emitMatrixReductionKernel(
            { ...kernel, isScaled },
            layoutOf(kernel, { ...features, copies: 0, clears: false }),
          ),
        ),
    ),
  ];
}

/** The shaders of variants that one invocation runs in all passes for a row. */
export function fusedSources(variant: Variant, all: readonly RowFeatures[]): readonly string[] {
  const kernels = variantKernelsOf(variant);
  const { fused } = kernels;
  if (fused === undefined) return [];
  return all
    .filter(({ list }) => list !== true)
    .map(({ isShared, isScaled, ...features }) => {
      const own = isScaled === true ? scaledKernelsOf(kernels).fused! : fused;
      const layout = plainRowLayout(own.kernel, { ...features, fused: true });
      const bindings = isShared === true ? layout.bindings.map(() => 0) : layout.bindings;
      return emitFusedRowKernel(own, { ...layout, bindings });
    });
}

function mapKernels(variant: Variant): readonly KernelProgram[] {
  return variantKernelsOf(variant).passes.flatMap((pass) =>
    pass.kind === "map" && pass.map !== undefined ? [pass.map] : [],
  );
}
