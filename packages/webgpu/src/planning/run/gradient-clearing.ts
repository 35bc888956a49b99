import { emptyKernel, type KernelProgram } from "../../shaders/kernel-program.js";
import type { VariantKernels } from "../../shaders/variant-kernels.js";

/** Sets gradients to 0, for rules whose kernels cannot. */
export const clearingKernel: KernelProgram = emptyKernel("clear", [
  { name: "g", extent: "element", isWritten: false, isScratch: false },
]);

/** The kernel of a step that sets gradients to 0: the last one that reads them, if it can; otherwise `clearingKernel`. */
export function clearingKernelOf({ passes }: VariantKernels): KernelProgram {
  const levels = passes.flatMap((one) => (one.kind === "map" ? [one] : []));
  // Passes run level by level, and of a pass first what reduces rows and columns.
  levels.sort((a, b) => a.pass.level - b.pass.level);
  const readers = levels
    .flatMap(({ matrixReduction, map }) => [matrixReduction, map])
    .filter((kernel) => kernel?.arrays.some(({ name }) => name === "g"));
  const last = readers.at(-1);
  const canClear = last !== undefined && levels.some(({ map }) => map === last);
  return canClear && last.over === "element" ? last : clearingKernel;
}
