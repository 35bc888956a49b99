import type { Extent, MapPass, Program, Reduction, Variant } from "@gradstep/core";

/** An array that a kernel reads or writes. */
export interface KernelArray {
  readonly name: string;
  readonly extent: Extent;
  readonly isWritten: boolean;
  /** Whether it is in the scratch buffer, with others; otherwise it has a binding of its own. */
  readonly isScratch: boolean;
}

/** What a kernel computes for each index of an extent. */
export interface KernelProgram {
  readonly label: string;
  readonly over: MapPass["over"];
  readonly program: Program;
  readonly scalars: readonly string[];
  /** In the order of their bindings and of their starts in the table: `p`, `g`, slots, temporaries. */
  readonly arrays: readonly KernelArray[];
  /** Outputs that are reduced over a workgroup, in place of being stored. */
  readonly reductions: readonly Reduction[];
  /** Whether gradients are multiplied by the scale of the step, which follows the scalars. */
  readonly isScaled?: boolean;
}

/** The gradient of a kernel, as it enters its program, from an expression for its value in memory. */
export function scaledGradient({ isScaled }: KernelProgram, value: string): string {
  return isScaled === true ? `${value} * scalars[scalar_set].step_scale` : value;
}

/** Whether an array has one value per tensor, or in all. */
export function isUniform({ extent }: Pick<KernelArray, "extent">): boolean {
  return extent === "tensor" || extent === "all";
}

/** Whether a kernel writes to the scratch buffer or reads it. */
export function usesScratch({ arrays, reductions }: KernelProgram): boolean {
  return reductions.length > 0 || arrays.some(({ isScratch }) => isScratch);
}

/** What a kernel does, for the first line of its text: `updates p, m from g`. */
export function purposeOf({ arrays, reductions, isScaled }: KernelProgram): string {
  const updated = arrays.filter(({ isWritten }) => isWritten).map(({ name }) => name);
  const reduced = reductions.map(({ op, over }) => `${op} per ${over}`);
  const source = arrays.some(({ name }) => name === "g")
    ? ` from g${isScaled === true ? " times the scale of the step" : ""}`
    : "";
  return [
    ...(updated.length > 0 ? [`updates ${updated.join(", ")}${source}`] : []),
    ...(reduced.length > 0 ? [`reduces to ${reduced.join(", ")}`] : []),
  ].join(", ");
}

/** The kernel of an elementwise rule, which binds all of its arrays. */
export function elementwiseKernel({ label, perElement, scalars, slots }: Variant): KernelProgram {
  const bound = (name: string, isWritten: boolean): KernelArray => ({
    name,
    extent: "element",
    isWritten,
    isScratch: false,
  });
  return {
    label,
    over: "element",
    program: perElement,
    scalars,
    arrays: [bound("p", true), bound("g", false), ...slots.map(({ name }) => bound(name, true))],
    reductions: [],
  };
}

/** A kernel that computes nothing, for what all kernels of rows do: to clear gradients, or to fill copies. */
export function emptyKernel(label: string, arrays: readonly KernelArray[]): KernelProgram {
  return { label, over: "element", program: emptyProgram, scalars: [], arrays, reductions: [] };
}

const emptyProgram: Program = { nodes: [], inputs: [], outputs: [], source: "", fingerprint: "" };
