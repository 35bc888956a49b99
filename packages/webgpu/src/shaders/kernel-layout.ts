import { usesScratch, type KernelProgram } from "./kernel-program.js";
import { bindingName } from "./reserved-words.js";

/** Invocations per workgroup, and elements that each invocation updates in a loop. */
export const workgroupSize = 64;
export const elementsPerInvocation = 4;

/** Elements per workgroup. An element is a value, a vec4f, or some values of a row. */
export const elementsPerTile: number = workgroupSize * elementsPerInvocation;

/** How many parameter groups, each with its own scalars, one dispatch can serve. */
export const maxScalarSets = 16;

/** How a kernel accesses memory if all tensors are plain f32 without masks and copies. It computes the same in each. */
export interface DenseKernelLayout {
  /** 4: ranges start at multiples of four values in every array, and are accessed as vec4f. 1: they start anywhere. */
  readonly width: 1 | 4;
  /**
   * Where gradients are: in another buffer than the parameters (`separate-buffer`), in another binding of the same
   * buffer (`separate-binding`), or in the same binding (`shared-binding`).
   */
  readonly gradients: "separate-buffer" | "separate-binding" | "shared-binding";
}

/**
 * How a kernel accesses memory if it works by rows: tensors with layouts, masks, lists of rows, copies. It supports what at
 * least one tensor of a dispatch needs.
 */
export interface RowKernelLayout {
  /** For each array, in the order of `rowArraysOf`, the index of its binding. Arrays in one buffer can share a binding. */
  readonly bindings: readonly number[];
  /** Whether it skips rows whose mask is 0. */
  readonly mask: boolean;
  /** Whether it updates listed rows only. */
  readonly list: boolean;
  /** Whether each entry of the list has scalars of its own. */
  readonly rowScalars: boolean;
  /** Whether arrays can have gaps between rows. */
  readonly strides: boolean;
  /** Whether values per column, and per row of several matrices, can have gaps. */
  readonly widths: boolean;
  /** The type of gradients in fixed point; `mixed` if tensors of the dispatch have different types. */
  readonly fixedPoint: "none" | "i32" | "u32" | "mixed";
  /** Whether gradients can be with respect to activated parameters. */
  readonly activates: boolean;
  /** Whether gradients are set to 0 when they have been read. */
  readonly clears: boolean;
  /** The number of copies that a parameter can have. */
  readonly copies: number;
  /** Whether an invocation updates a row in all passes. */
  readonly fused: boolean;
  /** Whether f16 are written, which share words with values of other rows and tensors. */
  readonly halves: boolean;
}

export type KernelLayout = DenseKernelLayout | RowKernelLayout;

/** The layout of tensors that the backend allocates. */
export const defaultKernelLayout: DenseKernelLayout = { width: 4, gradients: "separate-buffer" };

/** Bindings of group 0. The arrays of values follow the table and the scalars. */
export const tableBinding = 0;
export const scalarsBinding = 1;
export const firstArrayBinding = 2;

/** Words of a table entry before the layout's own parameters: first tile, element count, index of the scalar set. */
export const entryHeaderLength = 3;

export function isRowKernelLayout(layout: KernelLayout): layout is RowKernelLayout {
  return "mask" in layout;
}

/** An array that a kernel binds. */
export interface ArrayBinding {
  /** The name in the shader. Names of `p`, `g` and slots start with `all_`, since a slot can have any name. */
  readonly name: string;
  readonly access: "read" | "read_write";
}

/** The arrays that a kernel binds, in order: `p`, `g` unless it shares the binding of `p`, slots, temporaries, scratch. */
export function denseBindingsOf(
  kernel: KernelProgram,
  { gradients }: DenseKernelLayout,
): readonly ArrayBinding[] {
  return [
    ...kernel.arrays
      .filter(
        ({ name, isScratch }) => !isScratch && !(name === "g" && gradients === "shared-binding"),
      )
      .map(({ name, isWritten }): ArrayBinding => {
        // A second binding of a buffer that is written must be writable as well.
        const isSecond = name === "g" && gradients === "separate-binding";
        return { name: bindingName(name), access: isWritten || isSecond ? "read_write" : "read" };
      }),
    ...(usesScratch(kernel) ? [{ name: "scratch", access: "read_write" as const }] : []),
  ];
}

/** Equal for layouts whose bindings are the same; the width does not matter. */
export function bindGroupLayoutKey(layout: KernelLayout): string {
  return isRowKernelLayout(layout) ? kernelLayoutKey(layout) : layout.gradients;
}

/** Equal for layouts whose shaders are the same. */
export function kernelLayoutKey(layout: KernelLayout): string {
  if (!isRowKernelLayout(layout)) return `${layout.width} ${layout.gradients}`;
  const { bindings, copies, mask, list, strides, widths, fixedPoint, activates, clears } = layout;
  const { fused, halves, rowScalars } = layout;
  const named = { mask, list, rowScalars, strides, widths, activates, clears, fused, halves };
  const words = Object.entries(named).flatMap(([name, isTrue]) => (isTrue ? [name] : []));
  const integers = fixedPoint === "none" ? [] : [`${fixedPoint} gradients`];
  return [
    "rows",
    bindings.join(","),
    ...words,
    ...integers,
    ...(copies > 0 ? [`${copies} copies`] : []),
  ].join(" ");
}

/** Bytes per scalar set in the uniform buffer, with the scale of the step if there is one. */
export function scalarSetLength({
  scalars,
  isScaled,
}: Pick<KernelProgram, "scalars" | "isScaled">): number {
  const length = scalars.length + (isScaled === true ? 1 : 0);
  return Math.max(1, Math.ceil(length / 4)) * 16;
}
