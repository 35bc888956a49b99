import {
  withOutputs,
  type MapPass,
  type Program,
  type Reduction,
  type Variant,
} from "@gradstep/core";
import { elementwiseKernel, type KernelArray, type KernelProgram } from "./kernel-program.js";

/** The kernels of a pass. */
export interface PassKernels {
  readonly kind: "map";
  readonly pass: MapPass;
  /** Reduces to rows and columns. It comes first, since the other one replaces what it reads. */
  readonly matrixReduction: KernelProgram | undefined;
  /** Stores outputs, and reduces to tensors. */
  readonly map: KernelProgram | undefined;
}

export function passKernelsOf(variant: Variant, pass: MapPass): PassKernels {
  const kind = "map";
  if (pass.program === variant.perElement)
    return { kind, pass, matrixReduction: undefined, map: elementwiseKernel(variant) };
  const { outputs } = pass.program;
  const ofMatrices = pass.reductions.filter(({ over }) => over === "row" || over === "column");
  const isOfMatrices = ({ name }: { readonly name: string }): boolean =>
    ofMatrices.some((one) => one.name === name);
  const kernelOf = (
    chosen: Program["outputs"],
    reductions: readonly Reduction[],
  ): KernelProgram | undefined => {
    if (chosen.length === 0) return undefined;
    const program =
      chosen.length === outputs.length ? pass.program : withOutputs(pass.program, chosen);
    const { label, scalars } = variant;
    const arrays = arraysOf(variant, program, reductions);
    return { label, over: pass.over, program, scalars, arrays, reductions };
  };
  return {
    kind,
    pass,
    matrixReduction: kernelOf(outputs.filter(isOfMatrices), ofMatrices),
    map: kernelOf(
      outputs.filter((output) => !isOfMatrices(output)),
      pass.reductions.filter(({ over }) => over === "tensor"),
    ),
  };
}

function arraysOf(
  { slots, passPlan }: Variant,
  program: Program,
  reductions: readonly Reduction[],
): readonly KernelArray[] {
  const stored = program.outputs.filter(({ name }) => reductions.every((one) => one.name !== name));
  const names = new Set([...program.inputs, ...stored].map(({ name }) => name));
  const isWritten = (name: string): boolean => stored.some((one) => one.name === name);
  const bound = [
    { name: "p", extent: "element" as const },
    { name: "g", extent: "element" as const },
    ...slots,
    ...passPlan.temporaries.filter(({ extent }) => extent === "element"),
  ].map(({ name, extent }) => ({ name, extent, isScratch: false }));
  const reduced = passPlan.temporaries.filter(({ extent }) => extent !== "element");
  const scratch = [
    // A pass over tensors stores what is reduced over all of them per tensor.
    ...reduced.map(({ name, extent }) => ({
      name,
      extent: extent === "all" && isWritten(name) ? ("tensor" as const) : extent,
    })),
    // The numbers of values in rows or columns are the same for all of a tensor.
    ...passPlan.counts.map(({ name }) => ({ name, extent: "tensor" as const })),
  ].map((one) => ({ ...one, isScratch: true }));
  return [...bound, ...scratch]
    .filter(({ name }) => names.has(name))
    .map((one) => ({ ...one, isWritten: isWritten(one.name) }));
}
