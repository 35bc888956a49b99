import type { MatrixPass, Reduction, Variant } from "@gradstep/core";
import type { KernelArray, KernelProgram } from "./kernel-program.js";
import type { PassKernels } from "./pass-kernels.js";

/** The longest row that one invocation updates in all passes of a step. */
export const maxFusedColumns = 16;

/** The passes of a variant whose values depend on their own row only, so that an invocation can run them all for a row. */
export interface FusedRows {
  /** All arrays of the passes but those of rows, which are variables. It computes nothing itself. */
  readonly kernel: KernelProgram;
  /** The kernels of the passes, in their order. */
  readonly passes: readonly KernelProgram[];
}

/** Undefined for variants of a single pass, and if a value depends on another row. */
export function fusedRowsOf(
  { label, scalars, slots, passPlan }: Variant,
  passes: readonly (PassKernels | MatrixPass)[],
): FusedRows | undefined {
  const isOfRow = ({ extent }: { readonly extent: string }): boolean =>
    extent === "element" || extent === "row";
  const isMap = (one: (typeof passes)[number]): one is PassKernels => one.kind === "map";
  const canFuse =
    passes.length > 1 &&
    passes.every((one) => isMap(one) && isOfRow({ extent: one.pass.over })) &&
    passPlan.temporaries.every(isOfRow) &&
    passPlan.counts.every(({ of, per }) => of === "element" && per === "row") &&
    slots.every(isOfRow);
  if (!canFuse) return undefined;
  const kernels = passes
    .filter(isMap)
    .flatMap(({ matrixReduction, map }) => [matrixReduction, map])
    .filter((kernel) => kernel !== undefined);
  if (!kernels.every(({ reductions }) => reductions.every(isOverRows))) return undefined;
  const [first] = kernels;
  const arrays = new Map<string, KernelArray>();
  for (const array of kernels.flatMap((kernel) => kernel.arrays)) {
    if (array.isScratch) continue;
    const known = arrays.get(array.name);
    arrays.set(array.name, { ...array, isWritten: array.isWritten || known?.isWritten === true });
  }
  const order = ["p", "g", ...slots.map(({ name }) => name)];
  const indexOf = ({ name }: KernelArray): number =>
    order.includes(name) ? order.indexOf(name) : order.length;
  return {
    kernel: {
      label,
      over: "element",
      program: first.program,
      scalars,
      arrays: [...arrays.values()].sort((a, b) => indexOf(a) - indexOf(b)),
      reductions: [],
    },
    passes: kernels,
  };
}

function isOverRows({ over }: Reduction): boolean {
  return over === "row";
}
