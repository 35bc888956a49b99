import type { Variant } from "@gradstep/core";
import { emitDenseKernel } from "../src/shaders/dense-kernel.js";
import type { DenseKernelLayout, RowKernelLayout } from "../src/shaders/kernel-layout.js";
import { isUniform, type KernelProgram } from "../src/shaders/kernel-program.js";
import { emitMatrixReductionKernel } from "../src/shaders/matrix-reduction-kernel.js";
import { emitRowKernel } from "../src/shaders/row-kernel.js";
import { variantKernelsOf } from "../src/shaders/variant-kernels.js";

/** The layouts of gradients that a kernel can have. */
function isPossible({ arrays }: KernelProgram, gradients: string): boolean {
  const [p, g] = arrays;
  return gradients === "separate-buffer" || (p.name === "p" && p.isWritten && g?.name === "g");
}

/** Whether a kernel of elements reads nothing per row or column, and reduces nothing. */
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

/** The shaders of a variant that update tensors by rows. */
export function rowSources(
  variant: Variant,
  layouts: readonly RowKernelLayout[],
): readonly string[] {
  const { passes } = variantKernelsOf(variant);
  const reductions = passes.flatMap((pass) =>
    pass.kind === "map" && pass.matrixReduction !== undefined ? [pass.matrixReduction] : [],
  );
  return [
    ...mapKernels(variant).flatMap((kernel) =>
      layouts
        .filter(
          ({ gradients, list, mirror }) =>
            isPossible(kernel, gradients) &&
            (!list || isOfElements(kernel)) &&
            (!mirror || kernel.arrays.some(({ name, isWritten }) => name === "p" && isWritten)),
        )
        .map((layout) => emitRowKernel(kernel, layout)),
    ),
    ...reductions.flatMap((kernel) =>
      layouts
        .filter(
          ({ gradients, list, mirror }) => gradients === "separate-buffer" && !list && !mirror,
        )
        .map((layout) => emitMatrixReductionKernel(kernel, layout)),
    ),
  ];
}

function mapKernels(variant: Variant): readonly KernelProgram[] {
  return variantKernelsOf(variant).passes.flatMap((pass) =>
    pass.kind === "map" && pass.map !== undefined ? [pass.map] : [],
  );
}
